"""Signals that end a command, kept from falling between two steps that belong together."""

import signal
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

_ENDING = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


class Interrupts:
    """Turns the first SIGINT, SIGTERM or SIGHUP into ``KeyboardInterrupt``, but never inside ``held``; later ones are
    taken for impatience with an end that has begun already."""

    def __init__(self) -> None:
        self._held = 0
        self._asked = False
        self._raised = False

    def install(self) -> None:
        """From now on signals come here."""
        for number in _ENDING:
            signal.signal(number, self._on_signal)

    @contextmanager
    def held(self) -> Iterator[None]:
        """What is begun inside is finished; a signal that came meanwhile takes effect at the end."""
        self._held += 1
        try:
            yield
        finally:
            self._held -= 1
            self._raise_if_due()

    def _on_signal(self, number: int, frame: FrameType | None) -> None:
        self._asked = True
        self._raise_if_due()

    def _raise_if_due(self) -> None:
        if self._asked and not self._held and not self._raised:
            self._raised = True
            raise KeyboardInterrupt
