"""Trying again in place: transient faults of brokers and databases are waited out, visibly, up to the patience."""

import asyncio
import time
from collections.abc import Awaitable, Callable
from typing import TypeVar

T = TypeVar("T")

FIRST_PAUSE, LONGEST_PAUSE = 0.1, 2.0
_SLOW_SECONDS = 2.0


class Fault:
    """What is wrong with one dependency at this moment: None, or a sentence. Readiness checks show it."""

    def __init__(self) -> None:
        self.reason: str | None = None

    def __call__(self) -> str | None:
        return self.reason


async def persist(
    action: Callable[[], Awaitable[T]],
    *,
    transient: Callable[[BaseException], bool],
    patience: float,
    fault: Fault,
    gave_up: Callable[[str], BaseException],
) -> T:
    """Do ``action`` until it succeeds, with a growing pause between attempts.

    Args:
        action: what to do; it must be safe to do again.
        transient: whether an error may go away by itself; every other error is raised at once.
        patience: seconds after which no further attempt is begun.
        fault: set while the action fails or hangs, cleared when it succeeds.
        gave_up: makes the error to raise at the end, from what was tried.
    """
    started, pause, attempts = time.monotonic(), FIRST_PAUSE, 0
    while True:
        attempts += 1
        slow = asyncio.get_running_loop().call_later(_SLOW_SECONDS, _mark, fault, "no answer so far")
        try:
            result = await action()
        except Exception as error:
            if not transient(error):
                raise
            last = describe(error)
        else:
            fault.reason = None
            return result
        finally:
            slow.cancel()
        fault.reason = last
        elapsed = time.monotonic() - started
        if elapsed + pause > patience:
            raise gave_up(f"{attempts} attempts in {elapsed:.0f} s, the last: {last}")
        await asyncio.sleep(pause)
        pause = min(pause * 2, LONGEST_PAUSE)


def describe(error: BaseException) -> str:
    """An infrastructure error in one line."""
    return f"{type(error).__name__}: {error}".split("\n")[0].rstrip(": ")


def _mark(fault: Fault, reason: str) -> None:
    if fault.reason is None:
        fault.reason = reason
