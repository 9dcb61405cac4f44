"""Several processes as one: a signal ends them all in good order, and when one ends, the others are ended too."""

import signal
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from types import FrameType

from cli.embedded import guard

GRACE_SECONDS = 30
"""What a service needs at most to finish its batch and commit."""
_POLL_SECONDS = 0.1


class _Asked(Exception):
    """A signal told us to stop."""


def _on_signal(number: int, frame: FrameType | None) -> None:
    raise _Asked


def supervise(
    commands: Mapping[str, Sequence[str]], environments: Mapping[str, Mapping[str, str]]
) -> tuple[str | None, int]:
    """Run the named commands until a signal comes or one of them ends.

    Returns the name of the one that ended by itself with its exit status, or None and 0 after a signal. Each runs under
    the guard, in a session of its own: a terminal's Ctrl-C reaches them through here only, and none outlives us.
    """
    processes: dict[str, subprocess.Popen[bytes]] = {}
    ended: tuple[str | None, int] = (None, 0)
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, _on_signal)
    try:
        for name, command in commands.items():
            guarded = [sys.executable, "-I", "-S", guard.__file__, f"--grace={GRACE_SECONDS}", *command]
            processes[name] = subprocess.Popen(  # noqa: S603
                guarded, stdin=subprocess.PIPE, env=dict(environments[name]), start_new_session=True
            )
        while not (
            over := [(name, process.returncode) for name, process in processes.items() if process.poll() is not None]
        ):
            time.sleep(_POLL_SECONDS)
        ended = over[0]
    except _Asked:
        pass
    finally:
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            signal.signal(number, signal.SIG_IGN)
        for process in processes.values():
            if process.stdin is not None:
                process.stdin.close()
        for process in processes.values():
            process.wait()
    return ended
