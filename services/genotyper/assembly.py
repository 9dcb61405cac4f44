"""Whether a result's positions can be on GRCh38 at all.

An event says which assembly it uses; this finds the ones that say GRCh38 and are not: reference bases that disagree at
many definition positions, or rows that sit where GRCh37 has the definition positions.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from knowledge.model import Gene
from schemas.errors import Code, Rejected
from schemas.lab_result import Genotype
from services.genotyper.observation import Observation

MIN_DISAGREEING = 5
"""So many definition positions must speak against GRCh38 at least."""
DISAGREEING_SHARE = 0.25
"""Share of the rows at definition positions whose REF must disagree. Chance alone gives 0.75, spelling of indels far
less."""


@dataclass(frozen=True)
class AssemblyCheck:
    """Knows where GRCh37 has the definition positions that have moved."""

    grch37: dict[tuple[str, int], str]
    """Reference base by contig and position."""

    @classmethod
    def of(cls, genes: Sequence[Gene]) -> "AssemblyCheck":
        grch38 = {(gene.chromosome, p.pos) for gene in genes for p in gene.definition.positions}
        grch37 = {
            (gene.chromosome, p.grch37_pos): p.grch37_ref or p.ref
            for gene in genes
            for p in gene.definition.positions
            if p.grch37_pos is not None and (gene.chromosome, p.grch37_pos) not in grch38
        }
        bare = {(chromosome.removeprefix("chr"), pos): ref for (chromosome, pos), ref in grch37.items()}
        return cls(grch37 | bare)

    def check(self, rows: Sequence[Genotype], observations: Sequence[Observation], outside: int) -> None:
        """Raises Rejected(WRONG_ASSEMBLY)."""
        at_positions = sum(observation.with_row.bit_count() for observation in observations)
        disagreeing = sum(
            warning.code == "ref-mismatch-discarded" for observation in observations for warning in observation.warnings
        )
        if disagreeing >= MIN_DISAGREEING and disagreeing >= DISAGREEING_SHARE * at_positions:
            message = f"REF disagrees with GRCh38 at {disagreeing} of {at_positions} definition positions"
            raise Rejected(Code.WRONG_ASSEMBLY, message, "genotypes")
        if not outside:
            return
        on_grch37 = sum(self.grch37.get((row["chrom"], row["pos"])) == row["ref"] for row in rows)
        if on_grch37 >= MIN_DISAGREEING and on_grch37 > at_positions - disagreeing:
            message = f"{on_grch37} rows sit at definition positions of GRCh37, fewer at those of GRCh38"
            raise Rejected(Code.WRONG_ASSEMBLY, message, "genotypes")
