"""Blocks of a gVCF in which a sample has the reference throughout."""

from dataclasses import dataclass

PLACEHOLDERS = frozenset({"<NON_REF>", "<*>"})
"""What stands in ALT for any allele that was not seen."""


@dataclass(frozen=True, slots=True)
class BlockLimits:
    """What a block must show before its positions count as seen; below that they are no-calls."""

    min_depth: int = 10
    """Reads at the block's weakest position (MIN_DP, else DP)."""
    min_quality: int = 20
    """Genotype quality (GQ, Phred scale)."""

    def passes(self, depth: int | None, quality: int | None) -> bool:
        """Whether the block is good enough. A number that the file does not give is not held against it, unless both
        lack."""
        if depth is None and quality is None:
            return False
        return (depth is None or depth >= self.min_depth) and (quality is None or quality >= self.min_quality)
