"""Whether positions can be on GRCh38 at all.

A result says which assembly it uses; this finds the ones that say GRCh38 and are not, or not throughout: reference
bases that disagree at many definition positions, or rows that sit where GRCh37 has the definition positions.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from knowledge.model import Gene
from schemas.errors import Code, Rejected
from schemas.lab_result import Genotype
from services.genotyper.observation import Observation

MIN_DISAGREEING = 5
"""So many definition positions must speak against GRCh38, where others speak for it."""
DISAGREEING_SHARE = 0.25
"""Share of the rows at definition positions whose REF must disagree. Chance alone gives 0.75, indel spelling far
less."""


@dataclass(frozen=True)
class AssemblyCheck:
    """Knows where GRCh37 has the definition positions that have moved since."""

    grch37: dict[tuple[str, int], tuple[str, frozenset[str]]]
    """Reference base and alternatives by contig (with and without ``chr``) and position."""

    @classmethod
    def of(cls, genes: Sequence[Gene]) -> "AssemblyCheck":
        """Knows the positions of these genes."""
        grch38 = {(gene.chromosome, p.pos) for gene in genes for p in gene.definition.positions}
        grch37 = {
            (gene.chromosome, p.grch37_pos): (p.grch37_ref or p.ref, frozenset((p.ref, *p.alts)))
            for gene in genes
            for p in gene.definition.positions
            if p.grch37_pos is not None and (gene.chromosome, p.grch37_pos) not in grch38
        }
        return cls(grch37 | {(chrom.removeprefix("chr"), pos): known for (chrom, pos), known in grch37.items()})

    def is_grch37(self, chrom: str, pos: int, ref: str, alts: Sequence[str]) -> bool:
        """Whether a row sits at a definition position of GRCh37, with its reference base and one of its
        alternatives."""
        known = self.grch37.get((chrom, pos))
        return known is not None and ref == known[0] and not known[1].isdisjoint(alts)

    def check_rows(self, rows: Sequence[Genotype], observations: Sequence[Observation], outside: int) -> None:
        """Raises Rejected(WRONG_ASSEMBLY)."""
        at_positions = sum(observation.with_row.bit_count() for observation in observations)
        disagreeing = sum(
            warning.code == "ref-mismatch-discarded" for observation in observations for warning in observation.warnings
        )
        if disagreeing >= MIN_DISAGREEING and disagreeing >= DISAGREEING_SHARE * at_positions:
            message = f"REF disagrees with GRCh38 at {disagreeing} of {at_positions} definition positions"
            raise Rejected(Code.WRONG_ASSEMBLY, message, "genotypes")
        if outside:
            moved = sum(self.is_grch37(row["chrom"], row["pos"], row["ref"], row["alt"]) for row in rows)
            refuse_grch37(moved, at_positions - disagreeing, "genotypes")


def refuse_grch37(on_grch37: int, on_grch38: int, path: str) -> None:
    """Raises Rejected(WRONG_ASSEMBLY) where rows at positions of GRCh37 are more than chance, or all there is."""
    if on_grch37 >= MIN_DISAGREEING or (on_grch37 and not on_grch38):
        message = f"{on_grch37} rows sit at definition positions of GRCh37, {on_grch38} at those of GRCh38"
        raise Rejected(Code.WRONG_ASSEMBLY, message, path)
