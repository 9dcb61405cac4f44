"""Several services as one process tree, as operators see it from outside."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

SUPERVISOR = """
import os, sys
from cli.supervisor import supervise
folder, first = sys.argv[1:]
child = "import os, sys, time; open(sys.argv[1], 'w').write(str(os.getpid())); "
commands = {
    "first": [sys.executable, "-c", child + first, f"{folder}/first"],
    "second": [sys.executable, "-c", child + "time.sleep(600)", f"{folder}/second"],
}
print(*supervise(commands, dict.fromkeys(commands, os.environ)))
"""
FOR_LONG = "time.sleep(600)"


def until(condition: Callable[[], bool], seconds: float = 30) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "did not happen in time"
        time.sleep(0.02)


def alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


def start(folder: Path, first: str) -> "subprocess.Popen[str]":
    command = [sys.executable, "-c", SUPERVISOR, str(folder), first]
    return subprocess.Popen(command, stdout=subprocess.PIPE, text=True)


def pids(folder: Path) -> list[int]:
    files = [folder / "first", folder / "second"]
    until(lambda: all(file.exists() and file.read_text() for file in files))
    return [int(file.read_text()) for file in files]


def test_when_one_ends_the_others_are_ended_and_its_status_is_told(tmp_path: Path) -> None:
    when_both_run = (
        f"[*iter(lambda: time.sleep(0.01) or os.path.exists({str(tmp_path / 'second')!r}), True)]; sys.exit(7)"
    )
    supervisor = start(tmp_path, when_both_run)
    said, _ = supervisor.communicate(timeout=60)
    assert said.split() == ["first", "7"]
    until(lambda: not any(alive(pid) for pid in pids(tmp_path)))


def test_a_signal_ends_all_of_them_and_counts_as_a_good_end(tmp_path: Path) -> None:
    for number in (signal.SIGINT, signal.SIGTERM):
        folder = tmp_path / number.name
        folder.mkdir()
        supervisor = start(folder, FOR_LONG)
        children = pids(folder)
        supervisor.send_signal(number)
        said, _ = supervisor.communicate(timeout=60)
        assert said.split() == ["None", "0"]
        assert not any(alive(pid) for pid in children)


def test_nothing_is_left_behind_when_the_supervisor_itself_is_killed(tmp_path: Path) -> None:
    supervisor = start(tmp_path, FOR_LONG)
    children = pids(tmp_path)
    supervisor.kill()
    supervisor.wait()
    until(lambda: not any(alive(pid) for pid in children))
