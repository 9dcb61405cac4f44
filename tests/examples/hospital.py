"""A hospital's sample subscriber as a process that can be killed, with the database that it keeps."""

import fcntl
import shutil
import sqlite3
import subprocess
import sys
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path
from typing import Any

from runtime.settings import Settings
from schemas.topics import RECOMMENDATION

ROOT = Path(__file__).resolve().parents[2]
SAMPLES = ROOT / "examples/subscribers"


def missing(language: str) -> str | None:
    """Why a sample cannot run here; None when it can."""
    if language == "java" and (absent := [name for name in ("javac", "mvn") if shutil.which(name) is None]):
        return f"the sample subscriber in Java needs a JDK and Maven; not found: {', '.join(absent)}"
    return None


class Hospital:
    """One subscriber, its database file, and what an observer sees in it."""

    def __init__(self, language: str, settings: Settings, folder: Path, *more: str) -> None:
        self.database = folder / "advice.sqlite3"
        self._log = folder / "subscriber.log"
        topic, group = settings.topic(RECOMMENDATION), f"{settings.topic_prefix}hospital"
        servers = settings.kafka_bootstrap_servers
        if language == "java":
            libraries, classes = _libraries(), folder / "classes"
            source = str(SAMPLES / "java/Subscriber.java")
            subprocess.run(["javac", "-cp", f"{libraries}/*", "-d", str(classes), source], check=True)
            words = ["java", "-Xmx128m", "-XX:TieredStopAtLevel=1", "-cp", f"{classes}:{libraries}/*", "Subscriber"]
            self._command = [*words, servers, str(self.database), topic, group, *more]
        else:
            words = [sys.executable, str(SAMPLES / "python/subscriber.py"), "--brokers", servers]
            self._command = [*words, "--database", str(self.database), "--topic", topic, "--group", group, *more]
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        with self._log.open("ab") as log:
            self._process = subprocess.Popen(self._command, stdout=log, stderr=log, cwd=self.database.parent)

    def kill(self) -> None:
        """End it without a word, as a crash does; harmless where it does not run."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._process = None

    def said(self) -> str:
        return self._log.read_text()

    def read(self, query: str, values: Sequence[Any] = ()) -> list[tuple[Any, ...]]:
        """Rows of the hospital's database; none while it is not made. Fails where the subscriber has ended."""
        assert self._process is None or self._process.poll() is None, self.said()
        if not self.database.exists():
            return []
        with closing(sqlite3.connect(self.database, timeout=30)) as connection:
            try:
                return connection.execute(query, values).fetchall()
            except sqlite3.OperationalError as error:
                if "no such table" in str(error):
                    return []
                raise

    def positions(self) -> dict[int, int]:
        """How far each partition is read."""
        return dict(self.read("SELECT part, next FROM positions"))

    def notices(self) -> list[tuple[Any, ...]]:
        """Who was told what: patient, sequence, change and drug, in order for each patient."""
        return self.read("SELECT patient, sequence, change, drug FROM notices ORDER BY patient, sequence, number")

    def advice(self) -> list[tuple[Any, ...]]:
        """The current lists: patient, drug and actions."""
        return self.read("SELECT patient, drug, actions FROM advice ORDER BY patient, drug")


def _libraries() -> Path:
    """The Java sample's class path, fetched once by Maven into the project's cache."""
    cache = ROOT / ".cache/sample-subscriber"
    cache.mkdir(parents=True, exist_ok=True)
    with (cache / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        pom, copied = SAMPLES / "java/pom.xml", cache / "pom.xml"
        if not copied.exists() or copied.read_bytes() != pom.read_bytes():
            fetch = ["mvn", "-q", "-B", "-f", str(pom), "dependency:copy-dependencies"]
            fetch += ["-DincludeScope=runtime", f"-DoutputDirectory={cache / 'libs'}"]
            subprocess.run(fetch, check=True, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL)
            shutil.copyfile(pom, copied)
    return cache / "libs"
