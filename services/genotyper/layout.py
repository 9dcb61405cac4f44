"""The order in which a laboratory sends its rows, recognised so that only genotypes are left to read.

An assay reports the same positions with the same alleles, sample after sample. A result whose rows are those of a known
layout is split into genotypes by gene at once; any other one is read row by row.
"""

import sys
from collections.abc import Iterable, Sequence
from operator import itemgetter
from typing import Any

from schemas.lab_result import Genotype
from services.genotyper.definition import GeneDefinition
from services.genotyper.observation import Observation
from services.genotyper.panel import Site
from services.genotyper.reading import Entry, Sorted, observe

MAX_LAYOUTS = 4
"""Layouts remembered."""
MAX_ROWS = 8_192
"""Rows remembered for each layout."""
_FEW = 8
"""Where more than one row in so many is new to a layout, its rows are not worth remembering."""

_WITH_ID = itemgetter("chrom", "pos", "ref", "alt", "id")
_WITHOUT_ID = itemgetter("chrom", "pos", "ref", "alt")
_GT = itemgetter("gt")
_KEYS_WITH_ID = 6
_KEYS_WITHOUT_ID = 5

Genotypes = tuple[str, ...]
"""The genotypes of a gene's rows, in the order of the layout."""


class LayoutGene:
    """The rows of one gene in a layout."""

    def __init__(self, entries: Sequence[Entry]) -> None:
        self.numbers = [number for number, _, _ in entries]
        met: set[int] = set()
        self._rows: list[tuple[int, Site, bool]] = []
        """Row number, position, and whether the row may need more than a look at its genotype."""
        for number, row, site in entries:
            plain = row["ref"] == site.ref and row["alt"] == site.alts and not site.extra and site.pos not in met
            met.add(site.pos)
            self._rows.append((number, site, not plain))
        self._plain = sum(site.bit for _, site, special in self._rows if not special)
        plain_sites = [site for _, site, special in self._rows if not special]
        self._reference_gts = plain_sites[0].reference_gts if plain_sites else frozenset()

    def observe(self, definition: GeneDefinition, gts: Genotypes, rows: Sequence[Genotype]) -> Observation:
        """What the gene's rows show, of a result of this layout with these genotypes."""
        common = next(filter(self._reference_gts.__contains__, gts), "")
        plain, entries = self._plain, []
        for number, site, special in [row for gt, row in zip(gts, self._rows, strict=True) if gt != common or row[2]]:
            entries.append((number, rows[number], site))
            if not special:
                plain ^= site.bit
        return observe(definition, entries, common, plain)


class Layout:
    """The rows of one assay but for their genotypes. Rows with more than alleles (phase sets, depths) have none."""

    def __init__(self, rows: Sequence[Genotype], by_gene: Sorted) -> None:
        self._keys = len(rows[0])
        self._shape = _shape(rows, self._keys)
        self._all_places = list(range(len(rows)))
        self._kept: list[Genotype] = []
        self._places: dict[int, int] = {}
        """Where rows that were met before stand, by identity: ``schemas.row_texts`` gives one object for each text. It
        holds as long as the rows are kept."""
        self._remember(self._all_places, rows)
        self.genes = tuple(map(LayoutGene, by_gene.entries))
        self.outside = by_gene.outside
        self._pick = tuple(_picker(gene.numbers) for gene in self.genes)

    @staticmethod
    def possible(rows: Sequence[Genotype]) -> bool:
        """Whether every row consists of position, alleles, genotype and, in all rows or none, an identifier."""
        if not rows:
            return False
        keys = len(rows[0])
        if keys not in (_KEYS_WITH_ID, _KEYS_WITHOUT_ID) or any(len(row) != keys for row in rows):
            return False
        return keys == _KEYS_WITHOUT_ID or all("id" in row for row in rows)

    @property
    def rows_kept(self) -> int:
        """How many rows are remembered."""
        return len(self._kept)

    def split(self, rows: Sequence[Genotype]) -> list[Genotypes] | None:
        """The genotypes of each gene, if the rows are those of this layout."""
        if len(rows) != len(self._shape):
            return None
        new = self._new(rows)
        if new and not self._fit(rows, new):
            return None
        genotypes = tuple(map(_GT, rows))
        if new:
            # Memos keep them longer than these rows.
            genotypes = tuple(map(sys.intern, genotypes))
        return [pick(genotypes) for pick in self._pick]

    def _new(self, rows: Sequence[Genotype]) -> list[int]:
        """Places at which no row stands that was met there before."""
        places = list(map(self._places.get, map(id, rows)))
        return [] if places == self._all_places else [at for at, known in enumerate(places) if known != at]

    def _fit(self, rows: Sequence[Genotype], new: list[int]) -> bool:
        """Whether rows at new places have the fields and the alleles of the layout there."""
        odd = [rows[place] for place in new]
        if set(map(len, odd)) != {self._keys}:
            return False
        try:
            if _shape(odd, self._keys) != [self._shape[place] for place in new]:
                return False
        except KeyError:
            return False
        # Rows that are made anew for each result would only fill the memory.
        if len(new) * _FEW < len(rows) and len(self._places) < MAX_ROWS:
            self._remember(new, odd)
        return True

    def _remember(self, places: Iterable[int], rows: Sequence[Genotype]) -> None:
        self._kept += rows
        self._places.update(zip(map(id, rows), places, strict=True))


def _shape(rows: Sequence[Genotype], keys: int) -> list[Any]:
    return list(map(_WITH_ID if keys == _KEYS_WITH_ID else _WITHOUT_ID, rows))


def _picker(numbers: list[int]) -> Any:
    """Takes the genotypes of a gene's rows as a tuple."""
    if not numbers:
        return itemgetter(slice(0, 0))
    if numbers == list(range(numbers[0], numbers[-1] + 1)):
        return itemgetter(slice(numbers[0], numbers[-1] + 1))
    return itemgetter(*numbers)
