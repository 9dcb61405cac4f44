"""What a sample shows at the positions of one gene, after every row was judged usable or not."""

from typing import NamedTuple

from schemas.warning import Warning

MISSING = "."
"""The missing half of a half call."""

Row = tuple[int, str, tuple[str, ...], str, int | None]
"""A row as kept for later: position, reference, alternatives, genotype, phase set."""


class SiteCall(NamedTuple):
    """A usable genotype that is not homozygous for the VCF reference as the laboratory wrote it.

    ``first`` and ``second`` are bases in genome orientation, as matching sees them: where the gene treats undocumented
    bases as reference they are replaced. A missing half is ``.``; ``second`` is None for a genotype of one entry.
    """

    position: int
    first: str
    second: str | None
    heterozygous: bool
    """The genotype names two different alleles, neither missing."""
    phased: bool
    phase_set: int | None

    @property
    def half(self) -> bool:
        return self.first == MISSING or self.second == MISSING

    @property
    def effectively_phased(self) -> bool:
        """Which strand carries which base is known, or does not matter."""
        return (self.phased and self.phase_set is None) or not self.heterozygous


class Observation(NamedTuple):
    """A gene's usable genotypes and what was odd about the others. Equal observations give equal calls."""

    seen: int = 0
    """Positions with a usable genotype, as bits."""
    single: int = 0
    """Those of them whose genotype has one entry."""
    sites: tuple[SiteCall, ...] = ()
    """In column order; positions that were seen but are not listed are homozygous for the VCF reference."""
    phased: bool = False
    """Every usable genotype is written phased."""
    phase_sets: bool = False
    """Some phased genotype belongs to a phase set."""
    warnings: tuple[Warning, ...] = ()
    unequal_copies: bool = False
    """A mitochondrial position shows two different bases."""
    reference_gt: str | None = None
    with_row: int = 0
    """Positions with at least one row, usable or not."""
    other_rows: tuple[Row, ...] = ()
    """Every row that differs from plain ``reference_gt`` in the definition's spelling, in column order."""
    discarded_by_depth: tuple[int, ...] = ()
    extras: tuple[tuple[str, str], ...] = ()
    """Positions of interest outside the definition: rs number and bases (``G/A``)."""

    @property
    def haploid(self) -> bool:
        return self.single == self.seen

    @property
    def half_called(self) -> bool:
        return any(site.half for site in self.sites)
