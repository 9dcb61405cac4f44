"""Writes the generated end of ``docs/genotyper.md``: ``python -m services.genotyper.generate``."""

from collections.abc import Iterator, Mapping
from pathlib import Path

from knowledge.loader import Releases
from knowledge.model import Matching, Ploidy
from knowledge.release import Release
from services.genotyper import calling, notation, proxy, release_caller, reported, research, rows
from services.genotyper.calling import call_gene
from services.genotyper.definition import GeneDefinition
from services.genotyper.observation import Observation, SiteCall
from services.genotyper.options import Options
from services.genotyper.panel import build_panel

DOCUMENT = Path(__file__).parents[2] / "docs" / "genotyper.md"
MARKER = "<!-- Generated below by `python -m services.genotyper.generate`; do not edit. -->"
RELEASE = "2026.11"


def generated(release: Release) -> str:
    """The tables of codes, and the unphased genotypes with more than one explanation."""
    return "\n".join(
        [
            MARKER,
            "",
            "## Codes",
            "",
            *_table("Why a gene has no call (`reason`)", calling.REASONS | reported.REASONS),
            *_table("Warnings about a position", rows.MESSAGES),
            *_table("Warnings about a gene", calling.MESSAGES | proxy.MESSAGES | release_caller.MESSAGES),
            *_table("Warnings about reported alleles", notation.MESSAGES),
            *_table("Warnings of research calls", research.MESSAGES),
            "## Genotypes with several explanations",
            "",
            f"Release {release.id}, complete data. Phased, no strand fits two named alleles: every pair of defined",
            "haplotypes is called as itself, there are no ties. Unphased, these pairs of a completely defined allele",
            "with another one have other explanations too; the score in brackets decides.",
            "",
            "| gene | reported | other explanations |",
            "|---|---|---|",
            *dict.fromkeys(line for gene in build_panel(release.genes.values()).genes for line in _ambiguous(gene)),
            "",
        ]
    )


def _table(title: str, entries: Mapping[str, str]) -> list[str]:
    lines = [f"| `{code}` | {text} |" for code, text in sorted(entries.items())]
    return [f"### {title}", "", "| code | meaning |", "|---|---|", *lines, ""]


def _ambiguous(definition: GeneDefinition) -> Iterator[str]:
    gene = definition.gene
    if gene.definition.matching is not Matching.STANDARD or gene.ploidy is Ploidy.MITOCHONDRIAL:
        return
    whole = [allele for allele in definition.alleles if allele.core == definition.everything]
    for common in whole:
        for other in definition.alleles:
            cells = [
                (min(common.cells[i]), min(other.cells.get(i, definition.reference_cells[i])))
                for i in range(len(definition.references))
            ]
            called = call_gene(definition, _unphased(definition, cells), Options(candidates="all"))
            if len(called.diplotypes) > 1:
                best = [d for d in called.diplotypes if d.score == called.diplotypes[0].score]
                rest = [d for d in called.diplotypes if d not in best]
                shown = (", ".join(f"{d.label} [{d.score}]" for d in group) for group in (best, rest))
                yield f"| {gene.symbol} | {' | '.join(shown)} |"


def _unphased(definition: GeneDefinition, cells: list[tuple[str, str]]) -> Observation:
    sites = tuple(
        SiteCall(i, first, second, heterozygous=first != second, phased=False, phase_set=None)
        for i, (first, second) in enumerate(cells)
        if (first, second) != (definition.references[i],) * 2
    )
    return Observation(seen=definition.everything, with_row=definition.everything, sites=sites)


def main() -> None:
    """Replaces everything after the marker."""
    written = DOCUMENT.read_text(encoding="utf-8").partition(MARKER)[0]
    DOCUMENT.write_text(written + generated(Releases().load(RELEASE)), encoding="utf-8")


if __name__ == "__main__":
    main()
