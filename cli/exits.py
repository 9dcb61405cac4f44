"""How a command ends early: the one error that commands raise for people, beside those of the runtime."""

from runtime.exits import Exit

BROKEN_PIPE = 141
"""The reader of our output went away (``pgx … | head``), as shells report it."""


class Failure(Exception):
    """Ends a command with ``status``: ``message`` says what and where, ``advice`` what to do about it."""

    def __init__(self, status: Exit, message: str, advice: str | None = None) -> None:
        super().__init__(message)
        self.status = status
        self.message = message
        self.advice = advice


class ReaderGone(Exception):
    """Whoever read our output went away: nothing to say and nobody to say it to."""
