"""The embedded PostgreSQL: starts anywhere, ends surely, changes nothing outside its folder."""

import os
import pwd
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import asyncpg
import pytest

from cli.embedded import postgres

pytestmark = pytest.mark.postgres

STARTER = """
import sys, time
from pathlib import Path
from cli.embedded import postgres
with postgres.start(Path(sys.argv[1]), durable=False) as server:
    print(server.dsn, flush=True)
    time.sleep(600)
"""


@contextmanager
def starter(folder: Path) -> Iterator[subprocess.Popen[str]]:
    """A process that has a server in ``folder`` and says its address."""
    command = [sys.executable, "-c", STARTER, str(folder)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True) as process:
        try:
            yield process
        finally:
            process.kill()


def until(condition: Callable[[], bool], seconds: float = 30.0) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "it did not happen in time"
        time.sleep(0.02)


def gone(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return True
    return Path(f"/proc/{pid}/stat").read_text().split()[2] == "Z" if Path("/proc/self").exists() else False


async def value(dsn: str, query: str) -> object:
    connection = await asyncpg.connect(dsn)
    try:
        return await connection.fetchval(query)
    finally:
        await connection.close()


async def test_data_outlive_the_server(tmp_path: Path) -> None:
    with postgres.start(tmp_path / "deep" / "folder", durable=False) as server:
        await value(server.dsn, "CREATE TABLE kept AS SELECT 42 AS answer")
    with postgres.start(tmp_path / "deep" / "folder", durable=False) as server:
        assert await value(server.dsn, "SELECT answer FROM kept") == 42


async def test_is_safe_against_power_loss_unless_told_otherwise(tmp_path: Path) -> None:
    with postgres.start(tmp_path) as server:
        assert await value(server.dsn, "SHOW fsync") == "on"
        assert await value(server.dsn, "SHOW synchronous_commit") == "on"


async def test_runs_in_a_folder_that_only_its_owner_can_enter(tmp_path: Path) -> None:
    closed = tmp_path / "closed"
    closed.mkdir(mode=0o700)
    users, mode = pwd.getpwall(), closed.stat().st_mode
    with postgres.start(closed / "data", durable=False) as server:
        assert await value(server.dsn, "SELECT 1") == 1
    assert pwd.getpwall() == users
    assert closed.stat().st_mode == mode


@pytest.mark.skipif(os.geteuid() != 0, reason="only root has to become somebody else")
async def test_root_without_user_namespaces_runs_it_as_nobody_from_a_copy(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(postgres, "_namespace_works", lambda *_: False)
    os.chmod(tmp_path, 0o700)  # noqa: PTH101
    with postgres.start(tmp_path / "data", durable=False) as server:
        data = str(await value(server.dsn, "SHOW data_directory"))
        assert os.stat(data).st_uid == pwd.getpwnam("nobody").pw_uid  # noqa: PTH116
    assert not os.path.exists(data)  # noqa: ASYNC240, PTH110


async def test_takes_no_port(tmp_path: Path) -> None:
    with postgres.start(tmp_path, durable=False) as server:
        assert await value(server.dsn, "SHOW listen_addresses") == ""


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGINT, signal.SIGTERM], ids=lambda number: number.name)
def test_ends_when_the_process_that_started_it_ends(tmp_path: Path, number: signal.Signals) -> None:
    with starter(tmp_path) as process:
        assert process.stdout is not None
        sockets = Path(process.stdout.readline().strip().partition("host=")[2])
        server = int((sockets / ".s.PGSQL.5432.lock").read_text().splitlines()[0])
        process.send_signal(number)
        process.wait(30)
    until(lambda: gone(server))
    until(lambda: not sockets.exists())
    assert not (tmp_path / "data" / "postmaster.pid").exists()


def test_ctrl_c_while_it_prepares_its_data_leaves_nothing_running_and_nothing_half_made(tmp_path: Path) -> None:
    with starter(tmp_path) as process:
        until(lambda: (tmp_path / "data.new" / "PG_VERSION").exists())
        process.send_signal(signal.SIGINT)
        assert process.wait(30) != 0
    if sys.platform == "linux":
        until(lambda: not processes_naming(str(tmp_path)))
    with postgres.start(tmp_path, durable=False) as server:
        assert server.dsn


def processes_naming(text: str) -> list[str]:
    """Command lines of running processes that mention ``text``."""
    lines = []
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            lines.append(path.read_bytes().replace(b"\0", b" ").decode(errors="replace"))
        except OSError:
            continue
    return [line for line in lines if text in line and str(os.getpid()) not in line.split()]


def test_says_why_it_cannot_start(tmp_path: Path) -> None:
    (tmp_path / "data").mkdir(mode=0o700)
    (tmp_path / "data" / "PG_VERSION").write_text("9.6\n")
    with pytest.raises(postgres.CannotStart, match="log: "):
        postgres.start(tmp_path, durable=False)
