"""Where calling gives up rather than take unbounded time."""

MAX_UNITS = 20
"""Units of unknown relative phase in one gene (2^20 possible strands). No pair of defined alleles needs more than the
tests' ``test_limits`` state; above it there is no call."""

MAX_LISTED_UNITS = 10
"""The same where every possible strand has to be spelt out (combinations): 1,024 strands, 512 diplotypes."""


class TooManyCombinations(Exception):  # noqa: N818 - an outcome of calling, not a fault
    """More possible strands than the limits allow."""
