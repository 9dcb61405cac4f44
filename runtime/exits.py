"""Exit statuses that scripts and supervisors rely on, and the error behind status 4."""

from enum import IntEnum


class Exit(IntEnum):
    """Exit status of every command and service."""

    DONE = 0
    REFUSED = 1
    USAGE = 2
    NOT_FOUND = 3
    UNREACHABLE = 4


class Unreachable(Exception):
    """A needed service could not be reached within the patience: which one, where, and what was tried."""

    def __init__(self, what: str, where: str, tried: str, remedy: str) -> None:
        super().__init__(f"{what} at {where} could not be reached: {tried}. {remedy}")
        self.what = what
        self.where = where


class NotSetUp(Exception):
    """Something that ``pgx setup`` makes is not there."""


def status_of(error: BaseException) -> Exit:
    """The exit status that an error ends a command or service with."""
    return Exit.UNREACHABLE if isinstance(error, Unreachable | NotSetUp) else Exit.REFUSED
