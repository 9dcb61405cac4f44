"""A real Apache Kafka server without Docker: the jars come from Maven, one KRaft node on free loopback ports."""

import base64
import fcntl
import os
import shutil
import socket
import string
import subprocess
import time
import uuid
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from cli.embedded.guarded import Guarded, free_port

VERSION = "4.3.1"
ROOT = Path(__file__).resolve().parents[2]
_TEMPLATE = ROOT / "deploy/kafka-server/server.properties.template"
_POM = ROOT / "deploy/kafka-server/pom.xml"
_START_SECONDS = 180.0
QUICK_START = ("-Xmx512m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1", "-Xshare:auto")
"""Options of the JVM for a broker that is needed at once. Its pauses for garbage are the longer ones."""
AS_DEPLOYED = (
    *("-Xms256m", "-Xmx512m", "-XX:+UseG1GC", "-XX:MaxGCPauseMillis=20", "-XX:InitiatingHeapOccupancyPercent=35"),
    "-XX:+ExplicitGCInvokesConcurrent",
)
"""Options as docker-compose.yml and the start script of Apache Kafka (``kafka-run-class.sh``) give them."""
_QUIET = "-Dorg.slf4j.simpleLogger.defaultLogLevel=warn"


def missing() -> str | None:
    """Why no Apache Kafka can run here; None when it can."""
    absent = [program for program in ("java", "mvn") if shutil.which(program) is None]
    return f"Apache Kafka needs Java 17 and Maven; not found: {', '.join(absent)}" if absent else None


def jars() -> Path:
    """The server's class path folder, fetched once by Maven into the project's cache."""
    cache = ROOT / ".cache/kafka-server"
    folder = cache / VERSION
    cache.mkdir(parents=True, exist_ok=True)
    with (cache / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not (folder / f"kafka_2.13-{VERSION}.jar").exists() or not (folder / ".complete").exists():
            fetch = ["mvn", "-q", "-B", "-f", str(_POM), "dependency:copy-dependencies"]
            fetch += ["-DincludeScope=runtime", f"-DoutputDirectory={folder}"]
            subprocess.run(fetch, check=True, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL)
            (folder / ".complete").touch()
    return folder


class KafkaServer:
    """One broker with its data in ``folder``. It can be stopped and started again on the same port with its data."""

    def __init__(self, folder: Path, jvm: Sequence[str] = QUICK_START) -> None:
        self.folder = folder
        self._jvm = jvm
        self.port = free_port()
        self._class_path = f"{jars()}/*"
        self._controller_port = free_port()
        self._process: Guarded | None = None
        self._configure()

    @property
    def bootstrap_servers(self) -> str:
        return f"127.0.0.1:{self.port}"

    def start(self) -> None:
        """Start and wait until clients are accepted."""
        command = [_java(), *self._jvm, _QUIET, "-cp", self._class_path, "kafka.Kafka", str(self._properties)]
        self._process = Guarded(command, self.folder / "server.log")
        deadline = time.monotonic() + _START_SECONDS
        while time.monotonic() < deadline and self._process.running:
            if _listens(self.port):
                return
            time.sleep(0.05)
        words = self._process.last_words()
        self.stop()
        raise RuntimeError(f"Apache Kafka did not start:\n{words}")

    def stop(self) -> None:
        """Shut down in an orderly way; the data stay."""
        if self._process is not None:
            self._process.stop()
            self._process = None

    def tool(self, name: str, arguments: Sequence[str], standard_input: bytes = b"", timeout: float = 180) -> bytes:
        """Run one of Kafka's own command line tools, such as ``kafka.tools.ConsoleProducer``-like main classes."""
        command = [_java(), "-Xmx128m", _QUIET, "-cp", self._class_path, name, *arguments]
        return subprocess.run(command, input=standard_input, capture_output=True, check=True, timeout=timeout).stdout

    @property
    def _properties(self) -> Path:
        return self.folder / "server.properties"

    def _configure(self) -> None:
        self._write()
        self._format(cluster_id(), "--standalone")

    def _write(self) -> None:
        template = string.Template(_TEMPLATE.read_text())
        values = {"port": self.port, "controller_port": self._controller_port, "data": self.folder / "data"}
        self._properties.write_text(template.substitute(values))

    def _format(self, cluster: str, *how: str) -> None:
        self.tool("kafka.tools.StorageTool", ["format", "-t", cluster, "-c", str(self._properties), *how])


def cluster_id() -> str:
    """A new name for a cluster, as the storage tool takes it."""
    while (made := base64.urlsafe_b64encode(uuid.uuid4().bytes).decode().rstrip("=")).startswith("-"):
        pass
    return made


@contextmanager
def running(folder: Path, jvm: Sequence[str] = QUICK_START) -> Iterator[KafkaServer]:
    """A started server for the length of the block. Tries again when another process took a port in between."""
    for attempt in range(3):
        server = KafkaServer(_fresh(folder, attempt), jvm)
        try:
            server.start()
        except RuntimeError:
            if attempt == 2:
                raise
            continue
        try:
            yield server
        finally:
            server.stop()
        return


def _fresh(folder: Path, attempt: int) -> Path:
    own = folder / f"kafka-{os.getpid()}-{attempt}-{uuid.uuid4().hex[:8]}"
    own.mkdir(parents=True)
    return own


def _java() -> str:
    return shutil.which("java") or "java"


def _listens(port: int) -> bool:
    try:
        socket.create_connection(("127.0.0.1", port), timeout=1).close()
    except OSError:
        return False
    return True
