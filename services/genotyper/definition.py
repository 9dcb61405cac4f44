"""A gene's allele definitions, compiled once per release into a form made for matching.

Specification: "Allele definition data model", "Missing positions" and "Reference filling". Positions are numbered in
column order; a set of positions is an integer with one bit each.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

from knowledge import names
from knowledge.model import Allele, Gene, Matching, Priority, Proxy


@dataclass(frozen=True, slots=True)
class NamedAllele:
    """One named allele as matching sees it."""

    name: str
    """Unique within the gene; ``printed`` is what calls show (a spelling of ``*45`` is defined as ``*45.001``)."""
    printed: str
    reference: bool
    cells: Mapping[int, frozenset[str]]
    """The bases the allele has at the positions that are part of its definition."""
    core: int
    """Those positions as bits; what the score counts."""
    differs: int
    """Positions at which the allele, filled up from the reference allele, does not accept the VCF reference base."""
    wobbles: tuple[int, ...]
    """Positions with more than one possible base."""

    def score(self, seen: int) -> int:
        """Number of defined cells among the positions that were seen."""
        return (self.core & seen).bit_count()


@dataclass(frozen=True)
class ProxyPair:
    """A causal position and the linked one that stands in for it, with the alleles that name them (indices into the
    gene's)."""

    causal: int
    proxy: int
    causal_allele: int
    joint_allele: int

    @cached_property
    def bits(self) -> int:
        return 1 << self.causal | 1 << self.proxy

    @cached_property
    def alleles(self) -> frozenset[int]:
        return frozenset({self.causal_allele, self.joint_allele})


@dataclass(frozen=True)
class GeneDefinition:
    """Everything that calling one gene from genotypes needs."""

    gene: Gene
    alleles: tuple[NamedAllele, ...]
    """In name order."""
    reference: int
    """Index of the reference allele."""
    reference_cells: tuple[frozenset[str], ...]
    """What a blank cell is filled with."""
    references: tuple[str, ...]
    """VCF reference bases, by position."""
    everything: int
    """All positions as bits."""
    required: int
    proxy: ProxyPair | None
    priorities: tuple[Priority, ...]
    """In the order they are tried: name order of their picks."""
    not_in_combinations: frozenset[int]

    @cached_property
    def differs(self) -> tuple[int, ...]:
        """Each allele's ``differs``, by index."""
        return tuple(allele.differs for allele in self.alleles)

    @cached_property
    def differs_itself(self) -> tuple[int, ...]:
        """The same, of the positions that are part of the allele's own definition."""
        return tuple(allele.differs & allele.core for allele in self.alleles)

    @cached_property
    def printed(self) -> Mapping[str, str]:
        """What calls show for each allele's name, where it is not the name itself."""
        return {allele.name: allele.printed for allele in self.alleles if allele.printed != allele.name}

    @property
    def symbol(self) -> str:
        return self.gene.symbol

    @property
    def lowest_function(self) -> bool:
        return self.gene.definition.matching is Matching.LOWEST_FUNCTION

    def accepts(self, allele: NamedAllele, position: int, base: str) -> bool:
        """Whether the allele, filled up from the reference allele, has this base at the position."""
        return base in allele.cells.get(position, self.reference_cells[position])

    def locus(self, position: int) -> str:
        """``chr10:94781859``."""
        return f"{self.gene.chromosome}:{self.gene.definition.positions[position].pos}"

    def bits(self, positions: int) -> tuple[int, ...]:
        """The positions of a set, in column order."""
        if not positions:
            return ()
        return tuple(i for i in range(len(self.references)) if positions >> i & 1)


def compile_gene(gene: Gene) -> GeneDefinition | None:
    """The gene's definition ready for matching; None for a gene that can only be reported.

    Alleles without any defined position, and public names whose concrete spellings are defined themselves, cannot be
    matched and are left out.
    """
    definition = gene.definition
    if not definition.positions or definition.matching is Matching.REPORTED_ONLY:
        return None
    references = tuple(position.ref for position in definition.positions)
    spelt_out = {allele.public_name for allele in definition.alleles if allele.public_name not in (None, allele.name)}
    matchable = [allele for allele in definition.alleles if allele.calls and allele.name not in spelt_out]
    filling = next((a.calls for a in matchable if a.name == definition.reference), {})
    cells = tuple(_fill(filling.get(i), ref) for i, ref in enumerate(references))
    alleles = tuple(
        _compile_allele(allele, allele.name == definition.reference, references, cells)
        for allele in sorted(matchable, key=lambda allele: names.order(allele.name))
    )
    index = {allele.name: i for i, allele in enumerate(alleles)}
    columns = {position.pos: i for i, position in enumerate(definition.positions)}
    return GeneDefinition(
        gene=gene,
        alleles=alleles,
        reference=index[definition.reference or alleles[0].name],
        reference_cells=cells,
        references=references,
        everything=(1 << len(references)) - 1,
        required=sum(1 << columns[pos] for pos in definition.required_positions),
        proxy=_proxy(definition.proxy, columns, index),
        priorities=tuple(sorted(definition.unphased_priorities, key=lambda p: _pick_order(p.pick))),
        not_in_combinations=frozenset(index[name] for name in definition.not_in_combinations if name in index),
    )


def _fill(bases: tuple[str, ...] | None, ref: str) -> frozenset[str]:
    """The base that fills a blank cell: the reference allele's, or the VCF reference where that allele itself has a
    wobble."""
    return frozenset(bases) if bases is not None and len(bases) == 1 else frozenset((ref,))


def _compile_allele(
    allele: Allele, reference: bool, references: tuple[str, ...], filling: tuple[frozenset[str], ...]
) -> NamedAllele:
    cells = {position: frozenset(bases) for position, bases in allele.calls.items()}
    return NamedAllele(
        name=allele.name,
        printed=allele.public_name or allele.name,
        reference=reference,
        cells=cells,
        core=sum(1 << position for position in cells),
        differs=sum(1 << i for i, ref in enumerate(references) if ref not in cells.get(i, filling[i])),
        wobbles=tuple(sorted(position for position, bases in cells.items() if len(bases) > 1)),
    )


def _proxy(proxy: Proxy | None, columns: Mapping[int, int], index: Mapping[str, int]) -> ProxyPair | None:
    if proxy is None:
        return None
    return ProxyPair(
        columns[proxy.causal_pos], columns[proxy.proxy_pos], index[proxy.causal_allele], index[proxy.joint_allele]
    )


def _pick_order(pick: str) -> tuple[object, ...]:
    return tuple(names.order(allele) for allele in pick.split("/"))
