"""What a source says to a patient: a row, and what stands behind it for this patient. Recommendations when asked for.

A whole panel meets some hundred rows. Most of them are only written, as JSON that is the same for everyone who meets
the row but for its last fields; a model of each would cost more than all lookups together.
"""

from functools import lru_cache
from typing import Any

from schemas.recommendation import Recommendation
from services.recommender import confidence
from services.recommender.evidence import Behind
from services.recommender.rows import Row

_FIELDS = tuple(Recommendation.model_fields)
_OF_ROW = set(_FIELDS[: _FIELDS.index("confidence")])
"""Fields that a row alone decides; they come first."""
_OF_PATIENT = set(_FIELDS) - _OF_ROW


class Advised:
    """A row that a patient meets. Equal to another one that gives the same recommendation."""

    __slots__ = ("_conflict", "_made", "_more", "_reasons", "behind", "row")

    def __init__(
        self,
        row: Row,
        behind: Behind,
        reasons: tuple[str, ...] | None = None,
        conflict: tuple[str, ...] = (),
        more: dict[str, Any] | None = None,
    ) -> None:
        """``reasons`` for less confidence, where there are others than those in ``behind``; ``conflict``: rule ids of
        other sources' advice that contradicts this one; ``more``: further fields, about what the patient takes."""
        self.row = row
        self.behind = behind
        self._reasons = reasons
        self._conflict = conflict
        self._more = more
        self._made: Recommendation | None = None

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Advised) and self.recommendation == other.recommendation

    __hash__ = None  # type: ignore[assignment]

    def __repr__(self) -> str:
        return repr(self.recommendation)

    @property
    def recommendation(self) -> Recommendation:
        """As it is published; always the same object."""
        if self._made is None:
            self._made = self.row.completed(self._facts())
        return self._made

    def with_more(self, more: dict[str, Any]) -> "Advised":
        """The same with further fields."""
        return Advised(self.row, self.behind, self._reasons, self._conflict, more)

    def json(self) -> tuple[bytes, bytes]:
        """The recommendation as canonical JSON, in two parts."""
        if self._more:
            serializer = self.recommendation.__pydantic_serializer__
            return _of_row(self.row), serializer.to_json(self.recommendation, exclude=_OF_ROW)[1:]
        if self._reasons is None and not self._conflict:
            return _of_row(self.row), self.behind.json
        return _of_row(self.row), self.behind.json_with(self._sure())

    def _sure(self) -> dict[str, Any]:
        reasons = self.behind.reasons if self._reasons is None else self._reasons
        return {"confidence": confidence.of(reasons), "confidence_reasons": reasons, "conflict": self._conflict}

    def _facts(self) -> dict[str, Any]:
        facts = self.behind.facts
        if self._reasons is not None or self._conflict:
            facts = facts | self._sure()
        return facts if self._more is None else facts | self._more


@lru_cache(maxsize=8192)
def _of_row(row: Row) -> bytes:
    one = row.completed({})
    return one.__pydantic_serializer__.to_json(one, exclude=_OF_PATIENT)[:-1] + b","
