"""What a campaign runs on: a real Apache Kafka and PostgreSQL that can be killed, stopped, filled and cut off."""

import asyncio
import contextlib
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import quote

import asyncpg

from cli.embedded import postgres
from cli.embedded.guarded import free_port
from tests.support import kafka_server

ROOT = Path(__file__).resolve().parents[2]
_START_ATTEMPTS = 20
_SMALL_DISK_BYTES = 200_000_000
_REPLICATED = {
    "offsets.topic.replication.factor": "3",
    "transaction.state.log.replication.factor": "3",
    "min.insync.replicas": "2",
}


def missing() -> str | None:
    """Why no campaign can run here; None when it can."""
    if reason := kafka_server.missing():
        return reason
    if os.geteuid() == 0 and not postgres._namespace_works(postgres.wheel_binaries(), Path(tempfile.gettempdir())):
        return "as root, a PostgreSQL that keeps its data over restarts needs user namespaces (unshare --user)"
    return None


class Broker(kafka_server.KafkaServer):
    """A broker that can end without a word. ``advertised``: the port that clients are sent to, if not its own."""

    replication = 1

    def __init__(self, folder: Path, advertised: int | None = None) -> None:
        self.advertised = advertised
        super().__init__(folder)

    @property
    def address(self) -> str:
        """Where clients connect."""
        return f"127.0.0.1:{self.advertised or self.port}"

    def kill(self) -> None:
        """End it as a crash does."""
        if self._process is not None:
            kill_child(self._process.pid)
            self._process.stop()

    @property
    def running(self) -> bool:
        return self._process is not None and self._process.running

    def _write(self) -> None:
        super()._write()
        if self.advertised is not None:
            said = f"advertised.listeners=PLAINTEXT://127.0.0.1:{self.port}"
            text = self._properties.read_text()
            self._properties.write_text(text.replace(said, said.replace(str(self.port), str(self.advertised))))


class Node(Broker):
    """One of the brokers of a cluster; :meth:`join` says of which."""

    def __init__(self, folder: Path, number: int) -> None:
        self.number = number
        folder.mkdir()
        super().__init__(folder)

    @property
    def voter(self) -> str:
        return f"{self.number}@127.0.0.1:{self._controller_port}"

    def join(self, cluster: str, voters: str) -> None:
        """Make it ready to start with the others."""
        own = {"node.id": str(self.number), "controller.quorum.voters": voters, **_REPLICATED}
        lines = self._properties.read_text().splitlines()
        kept = [line for line in lines if line.partition("=")[0] not in {*own, "controller.quorum.bootstrap.servers"}]
        self._properties.write_text("\n".join([*kept, *map("=".join, own.items())]) + "\n")
        self._format(cluster)

    def _configure(self) -> None:
        self._write()


class Cluster:
    """Three brokers, every partition on each of them: any one may be gone."""

    replication = 3

    def __init__(self, folder: Path) -> None:
        self.nodes = [Node(folder / f"{number}", number) for number in range(1, self.replication + 1)]
        cluster, voters = kafka_server.cluster_id(), ",".join(node.voter for node in self.nodes)
        for node in self.nodes:
            node.join(cluster, voters)

    @property
    def address(self) -> str:
        return ",".join(node.address for node in self.nodes)

    @property
    def running(self) -> bool:
        return all(node.running for node in self.nodes)

    def start(self) -> None:
        """Start all at once: none is ready before most of them are there."""
        self._each(Node.start)

    def stop(self) -> None:
        self._each(Node.stop)

    def kill(self) -> None:
        self._each(Node.kill)

    def _each(self, action: Callable[[Node], None]) -> None:
        with ThreadPoolExecutor(len(self.nodes)) as threads:
            list(threads.map(action, self.nodes))


class Database:
    """A PostgreSQL that is found at one address however often it is started."""

    def __init__(self, folder: Path, address: Path) -> None:
        self._folder = folder
        self._folder.mkdir(exist_ok=True)
        self._address = address
        self._server: postgres.Postgres | None = None

    @property
    def socket_folder(self) -> Path:
        """Where its socket is, over restarts."""
        return self._address

    def dsn(self, name: str, socket_folder: Path | None = None) -> str:
        """The address of one database."""
        return f"postgresql://{postgres.USER}@/{name}?host={quote(str(socket_folder or self._address))}"

    def start(self) -> None:
        """Start and wait until it is ready; a killed one's processes may take a moment to be gone."""
        for attempt in range(_START_ATTEMPTS):
            try:
                self._server = postgres.start(self._folder)
                break
            except postgres.CannotStart:
                if attempt == _START_ATTEMPTS - 1:
                    raise
                time.sleep(0.3)
        assert self._server is not None
        sockets = self._server.dsn.partition("host=")[2].replace("%2F", "/")
        fresh = self._address.with_suffix(".new")
        fresh.symlink_to(sockets)
        fresh.replace(self._address)

    def stop(self) -> None:
        """Shut down in an orderly way, connections closed."""
        if self._server is not None:
            self._server.stop()
            self._server = None

    def kill(self) -> None:
        """End the server process as a crash does; its backends follow."""
        if self._server is not None:
            kill_child(self._server._guard.pid)
            self.stop()

    @property
    def running(self) -> bool:
        return self._server is not None and self._server._guard.poll() is None

    async def connect(self, name: str) -> "asyncpg.Connection[Any]":
        """A connection of the test's own, once there is a database to connect to."""
        while True:
            try:
                return await asyncpg.connect(self.dsn(name), timeout=10)
            except (OSError, asyncpg.PostgresError, TimeoutError):
                await asyncio.sleep(0.1)


class Link:
    """A proxy process between clients and a server."""

    def __init__(self, listen: str, target: str) -> None:
        command = [sys.executable, "-m", "tests.chaos.proxy", listen, target]
        self._process = subprocess.Popen(command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        assert self._process.stdout is not None
        self._process.stdout.readline()

    def order(self, line: str) -> None:
        assert self._process.stdin is not None
        self._process.stdin.write(f"{line}\n".encode())
        self._process.stdin.flush()

    def stop(self) -> None:
        self._process.kill()
        self._process.wait()
        for pipe in (self._process.stdin, self._process.stdout):
            if pipe is not None:
                pipe.close()


class Machine:
    """Broker and database, and the links to them where there are any."""

    def __init__(self, folder: Path, broker: Broker | Cluster, database: Database) -> None:
        self.folder = folder
        self.broker = broker
        self.database = database
        self.links: dict[str, Link] = {}
        self.disk: Path | None = None
        """Where the small disk is, if there is one."""

    def dsn(self, name: str) -> str:
        """The address of a database for services: over the link, where there is one."""
        return self.database.dsn(name, self.folder / "link" if "database" in self.links else None)


@contextmanager
def machine(*, linked: bool = False, disk: str | None = None, clustered: bool = False) -> Iterator[Machine]:
    """A running machine.

    Args:
        linked: services reach broker and database over links that can fail.
        disk: the data of the ``broker`` or the ``database`` lie on a disk of 200 MB; needs root.
        clustered: three brokers.
    """
    # Short: the path of a socket is limited to some hundred bytes.
    folder = Path(tempfile.mkdtemp(prefix="pgx-chaos-", dir="/tmp"))
    made: Machine | None = None
    stack = ExitStack()
    try:
        places = dict.fromkeys(("broker", "database"), folder)
        if disk is not None:
            places[disk] = stack.enter_context(_small_disk(folder))
        (kafka := places["broker"] / "kafka").mkdir()
        broker = Cluster(kafka) if clustered else Broker(kafka, free_port() if linked else None)
        made = Machine(folder, broker, Database(places["database"] / "postgres", folder / "pg"))
        made.disk = None if disk is None else places[disk]
        broker.start()
        made.database.start()
        if isinstance(broker, Broker) and linked:
            (folder / "link").mkdir()
            sockets = made.database.socket_folder
            made.links["broker"] = Link(f"tcp:{broker.advertised}", f"tcp:{broker.port}")
            made.links["database"] = Link(f"unix:{folder}/link/.s.PGSQL.5432", f"unix:{sockets}/.s.PGSQL.5432")
        yield made
    finally:
        if made is not None:
            for link in made.links.values():
                link.stop()
            for end in (made.broker.stop, made.database.stop):
                with contextlib.suppress(Exception):
                    end()
        stack.close()
        shutil.rmtree(folder, ignore_errors=True)


def no_small_disk() -> str | None:
    """Why there can be no small disk here; None when there can."""
    if os.geteuid() != 0 or shutil.which("mount") is None:
        return "a disk that can be filled needs root and mount (tmpfs)"
    with tempfile.TemporaryDirectory() as folder:
        try:
            with _small_disk(Path(folder)):
                return None
        except subprocess.CalledProcessError:
            return "this machine does not let root mount a tmpfs"


@contextmanager
def _small_disk(folder: Path) -> Iterator[Path]:
    place = folder / "disk"
    place.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", f"size={_SMALL_DISK_BYTES}", "tmpfs", str(place)]
    subprocess.run(mount, check=True, capture_output=True)
    try:
        yield place
    finally:
        subprocess.run(["umount", "--lazy", str(place)], check=True, capture_output=True)


def kill_child(pid: int) -> None:
    """SIGKILL to the one child of a guard."""
    for child, parent in _processes():
        if parent == pid:
            with contextlib.suppress(ProcessLookupError):
                os.kill(child, signal.SIGKILL)


def _processes() -> list[tuple[int, int]]:
    listed = subprocess.run(["ps", "-A", "-o", "pid=,ppid="], capture_output=True, check=True, text=True).stdout
    return [(int(pid), int(parent)) for pid, parent in (line.split() for line in listed.splitlines())]
