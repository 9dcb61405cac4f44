"""Where calling gives up rather than take unbounded time."""

MAX_UNITS = 32
"""Units of unknown relative phase in one gene: 2^32 possible strands. No pair of clinical alleles differs at more than
10 positions, none of CYP2D6 at more than 22; above the limit there is no call."""

MAX_LISTED = 512
"""Variants to look at where every possible strand has to be spelt out (combinations): strands times variants. So 6
unphased heterozygotes (64 strands), or 128 variants in 2 phase sets (4 strands)."""


class TooManyCombinations(Exception):
    """More possible strands than the limits allow."""
