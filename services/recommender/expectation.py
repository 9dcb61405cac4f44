"""What another release will bring to a patient, from the lookups that the store keeps and the genes read again. Pure.

Populations repeat themselves in the few genes that a release touches, so that each combination is worked out once.
"""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from schemas.recommendation import Change
from services.recommender.impact import Impact
from services.recommender.view import Lookup

_KEPT = 200_000
"""Combinations whose answers are remembered."""


class Expected(NamedTuple):
    """What will come of a patient. ``changes``: none where advice stays."""

    changes: tuple[Change, ...]
    moved: tuple[Lookup, ...] | None
    """The lookups of the genes that the release touches; None where they are what they were."""


class Expectations:
    """Of patients who were under one release and come under another."""

    def __init__(self, impact: Impact, dictionary: Mapping[int, Lookup]) -> None:
        """``dictionary``: lookups by number, of all numbers that will be asked about."""
        self.genes = impact.genes
        """Genes that are read again."""
        self._impact = impact
        self._dictionary = dictionary
        self._known: dict[tuple[tuple[int, ...], tuple[Lookup, ...], bool], Expected | None] = {}

    def of(self, lookups: Sequence[int], read: tuple[Lookup, ...], in_context: bool) -> Expected | None:
        """What will come of a patient with these lookups. None: it has to be evaluated.

        ``read``: the genes that are read again, as the patient's results read now. ``in_context``: clinical context is
        known.
        """
        asked = self._impact.asked
        concerned = tuple([number for number in lookups if self._dictionary[number].gene in asked])
        key = (concerned, read, in_context)
        if key not in self._known:
            if len(self._known) >= _KEPT:
                self._known.clear()
            self._known[key] = self._worked_out(concerned, read, in_context)
        return self._known[key]

    def kept(self, lookups: Sequence[int]) -> list[int]:
        """Those of a patient's lookups that stay, whatever is read again."""
        return [number for number in lookups if self._dictionary[number].gene not in self.genes]

    def _worked_out(self, concerned: Sequence[int], read: tuple[Lookup, ...], in_context: bool) -> Expected | None:
        old = {lookup.gene: lookup for lookup in map(self._dictionary.__getitem__, concerned)}
        new = {gene: lookup for gene, lookup in old.items() if gene not in self.genes}
        new |= {lookup.gene: lookup for lookup in read}
        changes = self._impact.changes(old, new, in_context=in_context)
        return None if changes is None else Expected(changes, None if new == old else read)
