"""Random samples of a gene, as hypothesis strategies, and their rows."""

from dataclasses import dataclass
from typing import Any

from hypothesis import strategies as st

from knowledge.loader import Releases
from knowledge.model import Gene, Ploidy
from knowledge.release import Release
from services.genotyper.calling import call_gene
from services.genotyper.options import Options
from services.genotyper.panel import build_panel
from services.genotyper.reading import read
from tests.services.genotyper.literal import Sample, Seen

RELEASE: Release = Releases().load("2025.11")
GENES = RELEASE.genes
MATCHED = tuple(symbol for symbol, gene in GENES.items() if gene.definition.positions)
PANELS = {(s, c): build_panel([GENES[s]], c) for s in MATCHED for c in (False, True)}


@dataclass(frozen=True)
class Genotypes:
    """Genotypes by column of a gene."""

    gene: Gene
    sample: tuple[tuple[int, Seen], ...]

    @property
    def by_column(self) -> Sample:
        return dict(self.sample)

    def rows(self) -> list[dict[str, Any]]:
        return [row(self.gene, column, seen) for column, seen in self.sample]


def row(gene: Gene, column: int, seen: Seen) -> dict[str, Any]:
    position = gene.definition.positions[column]
    alleles = [position.ref, *position.alts]
    entries = []
    for base in (seen.first, seen.second):
        if base is None:
            continue
        if base != "." and base not in alleles:
            alleles.append(base)
        entries.append("." if base == "." else str(alleles.index(base)))
    found = {
        "chrom": gene.chromosome, "pos": position.pos, "ref": position.ref, "alt": alleles[1:],
        "gt": ("|" if seen.phased else "/").join(entries),
    }  # fmt: skip
    return found if seen.phase_set is None else found | {"ps": seen.phase_set}


def call(gene: Gene, rows: list[dict[str, Any]], options: Options = Options()):  # type: ignore[no-untyped-def]  # noqa: B008
    """What is called; without the bases observed beside it, which are as the rows have them."""
    panel = PANELS[gene.symbol, options.combinations]
    called = call_gene(panel.genes[0], read(rows, panel).observations[0], options)
    return called.model_copy(update={"observed_variants": {}})


def haplotype(gene: Gene, name: str) -> dict[int, str]:
    """The bases of a named allele at every column, a wobble as its last base."""
    alleles = {allele.name: allele for allele in gene.definition.alleles}
    own = alleles[gene.definition.reference or ""].calls
    calls = alleles[name].calls
    return {
        column: (calls.get(column) or own.get(column) or (position.ref,))[-1]
        for column, position in enumerate(gene.definition.positions)
    }


def defined(gene: Gene) -> list[str]:
    return [allele.name for allele in gene.definition.alleles if allele.calls]


@st.composite
def drawn(draw: st.DrawFn, symbol: str, half_calls: bool = False, max_free: int = 6) -> Genotypes:
    """A pair of named alleles with some recombination, extra variants, missing rows, phase, phase sets."""
    gene = GENES[symbol]
    names = defined(gene)
    strands = [haplotype(gene, draw(st.sampled_from(names))) for _ in range(2)]
    positions = gene.definition.positions
    for _ in range(draw(st.integers(0, 3))):
        column = draw(st.integers(0, len(positions) - 1))
        strands[draw(st.integers(0, 1))][column] = draw(
            st.sampled_from([positions[column].ref, *positions[column].alts])
        )
    if draw(st.booleans()):
        other = haplotype(gene, draw(st.sampled_from(names)))
        cut = draw(st.integers(0, len(positions)))
        strands[0] |= {column: base for column, base in other.items() if column >= cut}
    absent = set(draw(st.lists(st.integers(0, len(positions) - 1), max_size=max(2, len(positions) // 3))))
    required = {p.pos for p in positions if p.pos in gene.definition.required_positions}
    mode = draw(st.sampled_from(("phased", "unphased", "sets", "mixed")))
    haploid = gene.ploidy is Ploidy.MITOCHONDRIAL or (gene.ploidy is Ploidy.X_LINKED and draw(st.booleans()))
    sample, free = [], 0
    for column, position in enumerate(positions):
        if column in absent and position.pos not in required:
            continue
        first, second = strands[0][column], strands[1][column]
        if draw(st.integers(0, 1)) and first != second:
            first, second = second, first
        if haploid:
            sample.append((column, Seen(first, None, True)))
            continue
        if first == second:
            sample.append((column, Seen(first, second, mode == "phased")))
            continue
        free += 1
        way = mode if mode != "mixed" else draw(st.sampled_from(("phased", "unphased", "sets")))
        if free > max_free or way == "phased":
            sample.append((column, Seen(first, second, True)))
        elif way == "unphased":
            sample.append((column, Seen(first, second, False)))
        else:
            sample.append((column, Seen(first, second, True, draw(st.integers(1, 3)))))
    if half_calls and sample and draw(st.booleans()):
        index = draw(st.integers(0, len(sample) - 1))
        column, seen = sample[index]
        if seen.second is not None and positions[column].alts:
            sample[index] = (column, Seen(positions[column].alts[0], ".", seen.phased))
    return Genotypes(gene, tuple(sample))
