"""Starts a command under the guard and ends it."""

import socket
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Self

from cli.embedded import guard


class Guarded:
    """A command that ends with this process, however that ends. Its output goes to ``log``."""

    def __init__(self, command: Sequence[str | Path], log: Path, environment: Mapping[str, str] | None = None) -> None:
        self.log = log
        with log.open("ab") as output:
            self._process = subprocess.Popen(  # noqa: S603
                [sys.executable, "-I", "-S", guard.__file__, *map(str, command)],
                stdin=subprocess.PIPE,
                stdout=output,
                stderr=subprocess.STDOUT,
                env=None if environment is None else dict(environment),
                start_new_session=True,
            )

    @property
    def pid(self) -> int:
        """Process id of the guard; the command is its only child."""
        return self._process.pid

    @property
    def running(self) -> bool:
        return self._process.poll() is None

    def stop(self) -> None:
        """End the command and wait until it is gone. Harmless when it has ended already."""
        if self._process.stdin is not None:
            self._process.stdin.close()
        self._process.wait(guard.GRACE_SECONDS + 5)

    def last_words(self, lines: int = 15) -> str:
        """The end of the log, for messages about a start that failed."""
        return "\n".join(self.log.read_text(errors="replace").splitlines()[-lines:])

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()


def free_port(host: str = "127.0.0.1") -> int:
    """A port that nothing listens on at this moment; whoever starts on it must cope with losing the race for it."""
    with socket.socket() as probe:
        probe.bind((host, 0))
        port: int = probe.getsockname()[1]
        return port
