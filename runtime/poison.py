"""How many messages may fail before the topic, not the messages, must be wrong: in a row, and as a share."""

from collections import deque

WINDOW = 1_000
"""Of so many messages of a partition, the last ones, the share is taken."""

Place = tuple[str, int]
"""A topic and one of its partitions."""


class PoisonLimits:
    """Counts, for each partition, how many messages failed in a row and how many of the last :data:`WINDOW`."""

    def __init__(self, in_a_row: int, share: float) -> None:
        """``in_a_row``: so many reach the limit; ``share``: above it, of a full window, is beyond the limit."""
        self._limit = in_a_row
        self._share = share
        self._runs: dict[Place, int] = {}
        self._windows: dict[Place, deque[bool]] = {}
        self._failed: dict[Place, int] = {}

    def knows(self, place: Place) -> bool:
        """Whether the present run of failures is known from its beginning."""
        return place in self._runs

    def resume(self, place: Place, in_a_row: int) -> None:
        """Go on from a run that an earlier process saw."""
        self._runs[place] = in_a_row

    def count(self, place: Place, failed: bool) -> str | None:
        """Count the next message; what limit is reached with it, in words, or None."""
        self._runs[place] = self._runs.get(place, 0) + 1 if failed else 0
        window = self._windows.setdefault(place, deque())
        window.append(failed)
        bad = self._failed.get(place, 0) + failed
        if len(window) > WINDOW:
            bad -= window.popleft()
        self._failed[place] = bad
        if self._runs[place] >= self._limit:
            return f"{self._limit} messages in a row"
        if len(window) == WINDOW and bad > self._share * WINDOW:
            return f"{bad} of the last {WINDOW:,} messages"
        return None
