"""The partitions that a group gives to this copy, and a word about it when it does so again and again."""

import time
from collections import deque
from collections.abc import Callable, Iterable

from runtime.logs import logger

_OFTEN = 8
_WITHIN_SECONDS = 30.0
"""Copies that come and go, or brokers that do, share out anew a few times; two with one name do it all the time."""
_SAID_EVERY_SECONDS = 60.0
_log = logger(__name__)


class Assignments:
    """Logs what is assigned to one copy of a service."""

    def __init__(self, instance: str | None, clock: Callable[[], float] = time.monotonic) -> None:
        """``instance``: the static member id, which no other copy may have at the same time."""
        self._instance = instance
        self._clock = clock
        self._times: deque[float] = deque(maxlen=_OFTEN)
        self._said: float | None = None

    def assigned(self, partitions: Iterable[int]) -> None:
        """The group has shared out its partitions anew."""
        _log.info("partitions assigned", partitions=sorted(partitions))
        now = self._clock()
        self._times.append(now)
        often = len(self._times) == _OFTEN and now - self._times[0] <= _WITHIN_SECONDS
        if often and (self._said is None or now - self._said > _SAID_EVERY_SECONDS):
            self._said = now
            _log.warning("partitions change hands again and again", times=_OFTEN, remedy=self._remedy())

    def _remedy(self) -> str:
        if self._instance is None:
            return "see which copies of this service start and end all the time"
        return f"give every copy of this service a PGX_INSTANCE of its own: another one may have {self._instance} too"
