"""A deployment by docker-compose.yml under a project name and on ports of its own, and `pgx` on the host beside it."""

import json
import os
import socket
import subprocess
import sys
import time
import uuid
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeVar

import pytest

from runtime.exits import Exit

T = TypeVar("T")

ROOT = Path(__file__).resolve().parents[2]
SERVICES = ("genotyper", "phenotyper", "recommender")
IMAGES = ("python:3.13-slim", "postgres:17", "apache/kafka:4.3.1")
PATIENCE_SECONDS = 120.0
FIRST = ROOT / "examples/message.json"
SECOND = ROOT / "examples/genotyping-panel.json"


def missing() -> str | None:
    """What this machine lacks to run the stack, or None."""
    try:
        ready = all(_quietly("docker", *words) for words in (("info",), ("compose", "version")))
    except FileNotFoundError:
        ready = False
    if not ready:
        return "no Docker engine with the compose plugin here"
    for image in IMAGES:
        if not _quietly("docker", "image", "inspect", image) and not _quietly("docker", "pull", "--quiet", image):
            return f"the image {image} is not here and could not be pulled"
    return None


def variant(folder: Path, accession: str) -> Path:
    """The documented example as another accession."""
    content = json.loads(FIRST.read_text()) | {"accession": accession}
    file = folder / f"{accession}.json"
    file.write_text(json.dumps(content))
    return file


def _quietly(*command: str) -> bool:
    return subprocess.run(command, capture_output=True, check=False).returncode == 0


@contextmanager
def running(*overlays: str) -> Iterator["Stack"]:
    """The whole deployment, started from nothing, and removed with its volumes however this process ends.

    Skips where it cannot run; ``TEST_COMPOSE=required`` makes that a failure.
    """
    if reason := missing():
        if os.environ.get("TEST_COMPOSE") == "required":
            pytest.fail(reason)
        pytest.skip(reason)
    stack = Stack(*overlays)
    # Waits for the end of its input, which comes with the end of this process, even where that is killed.
    remove = f"cat > /dev/null; exec docker compose --project-name {stack.project} down --volumes --timeout 10"
    quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
    with subprocess.Popen(["sh", "-c", remove], stdin=subprocess.PIPE, start_new_session=True, **quiet):
        stack.up()
        yield stack


class Stack:
    """Methods are what an operator types; ``environment`` is what they have exported."""

    def __init__(self, *overlays: str) -> None:
        self.project = f"pgx-test-{uuid.uuid4().hex[:8]}"
        self._files = (
            [word for name in ("docker-compose.yml", *overlays) for word in ("--file", name)] if overlays else []
        )
        first, second, third, database = _free_ports(4)
        brokers = (first, second, third) if overlays else (first,)
        clean = {name: value for name, value in os.environ.items() if not name.startswith("PGX_")}
        self.environment = clean | {
            # A broker that lives for minutes: its start counts, not its speed.
            "KAFKA_OPTS": "-XX:+UseSerialGC -XX:TieredStopAtLevel=1",
            "KAFKA_HOST_PORT": str(first),
            "KAFKA_2_HOST_PORT": str(second),
            "KAFKA_3_HOST_PORT": str(third),
            "POSTGRES_HOST_PORT": str(database),
            "PGX_KAFKA_BOOTSTRAP_SERVERS": ",".join(f"localhost:{port}" for port in brokers),
            "PGX_DATABASE_URL": f"postgresql://pgx@localhost:{database}/pgx",
            "PGX_DATABASE_PASSWORD_FILE": str(ROOT / "deploy/secrets/database-password"),
        }

    def compose(self, *words: str, check: bool = True, text: str | None = None) -> subprocess.CompletedProcess[str]:
        command = ["docker", "compose", "--project-name", self.project, *self._files, *words]
        return self._run(command, check=check, text=text)

    def pgx(self, *words: str, check: bool = True) -> subprocess.CompletedProcess[str]:
        return self._run([sys.executable, "-m", "cli.main", *words], check=check)

    def up(self, *words: str) -> None:
        self.compose("up", "--build", "--detach", "--wait", *words)

    def down(self, *words: str) -> None:
        self.compose("down", "--timeout", "30", *words)

    def containers(self) -> list[dict[str, Any]]:
        printed = self.compose("ps", "--all", "--format", "json").stdout
        return [json.loads(line) for line in printed.splitlines()]

    def submit(self, *files: Path) -> list[str]:
        """The event ids, once all events are applied. Tries again while the broker does not answer."""
        submitted = self.eventually(lambda: self._submitted(files))
        ids = [line.split("\t")[0] for line in submitted.stdout.splitlines()]
        for event in ids:
            self.eventually(lambda event=event: self.pgx("status", event, check=False).stdout.startswith("applied"))
        return ids

    def _submitted(self, files: Sequence[Path]) -> subprocess.CompletedProcess[str] | None:
        done = self.pgx("submit", *map(str, files), check=False)
        assert done.returncode in (Exit.DONE, Exit.UNREACHABLE), done.stderr
        return done if done.returncode == Exit.DONE else None

    def dump(self) -> str:
        return self.pgx("store", "dump").stdout

    def eventually(self, attempt: Callable[[], T | None]) -> T:
        """What the attempt returns once it returns something true."""
        deadline = time.monotonic() + PATIENCE_SECONDS
        while not (outcome := attempt()):
            if time.monotonic() > deadline:
                raise TimeoutError(self.compose("logs", "--tail", "20", check=False).stdout)
            time.sleep(0.25)
        return outcome

    def _run(self, command: list[str], *, check: bool, text: str | None = None) -> subprocess.CompletedProcess[str]:
        done = subprocess.run(
            command, cwd=ROOT, env=self.environment, capture_output=True, text=True, input=text or "", check=False
        )
        if check and done.returncode:
            raise AssertionError(f"{' '.join(command)} ended with {done.returncode}:\n{done.stdout}\n{done.stderr}")
        return done


def _free_ports(number: int) -> list[int]:
    sockets = [socket.socket() for _ in range(number)]
    for listener in sockets:
        listener.bind(("127.0.0.1", 0))
    ports = [listener.getsockname()[1] for listener in sockets]
    for listener in sockets:
        listener.close()
    return ports
