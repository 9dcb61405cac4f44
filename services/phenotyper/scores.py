"""Activity scores as guideline tables write them: text with at least one decimal, ``≥`` for at least, ``n/a`` for none.

Reference: CPIC activity scores of CYP2D6, CYP2C9 and DPYD; the texts are keys, so they are formed exactly.
"""

import re
from collections.abc import Iterable, Sequence
from decimal import Decimal
from itertools import combinations_with_replacement

NOT_AVAILABLE = "n/a"
_AT_LEAST = "≥"
_NUMBER = re.compile(r"(≥|>=)?\s*(\d+(?:[.,]\d+)?)")


def number(score: str) -> Decimal:
    """The number in a score text, without its sign."""
    return Decimal(score.removeprefix(_AT_LEAST))


def normalise(text: str) -> str:
    """A reported score as the tables write it (``2`` is ``2.0``, ``>=3`` is ``≥3.0``); any other text as it is."""
    found = _NUMBER.fullmatch(text.strip())
    if found is None:
        return text.strip()
    return _text(Decimal(found.group(2).replace(",", ".")), at_least=found.group(1) is not None)


def total(values: Sequence[str | None]) -> str:
    """Sum of the activity values of a diplotype's two alleles; ``n/a`` where one has none.

    >>> total(["1.0", "≥3.0"])
    '≥4.0'
    """
    known = [value for value in values if value is not None and value != NOT_AVAILABLE]
    if len(known) != len(values) or len(known) != 2:
        return NOT_AVAILABLE
    return _text(sum(map(number, known), Decimal(0)), at_least=any(v.startswith(_AT_LEAST) for v in known))


def _text(value: Decimal, *, at_least: bool) -> str:
    return (_AT_LEAST if at_least else "") + str(float(value))


def reachable(values: Iterable[str | None]) -> tuple[str, ...]:
    """Every score that two alleles with these values can have, in text order."""
    known = sorted({value for value in values if value is not None and value != NOT_AVAILABLE})
    return tuple(sorted({total(pair) for pair in combinations_with_replacement(known, 2)}))
