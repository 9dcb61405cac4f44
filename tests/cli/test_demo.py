"""The demo as a visitor runs it, and as one who changes their mind at any moment."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

pytestmark = pytest.mark.xdist_group("demo")


def start(folder: Path) -> "subprocess.Popen[str]":
    """The demo, keeping everything it writes under ``folder``."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith("PGX_")}
    return subprocess.Popen(
        [sys.executable, "-m", "cli.main", "demo"],
        env=environment | {"TMPDIR": str(folder)},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )


def left_behind(folder: Path) -> list[str]:
    """Processes that have the folder in their command or environment, and what lies in it."""
    shown = subprocess.run(["ps", "axeww", "-o", "pid,command"], capture_output=True, text=True, check=True).stdout
    return [line for line in shown.splitlines() if str(folder) in line] + [str(path) for path in folder.iterdir()]


def nothing_is_left(folder: Path, seconds: float = 30) -> bool:
    """Whether everything is gone within moments: the last process may still be on its way out."""
    deadline = time.monotonic() + seconds
    while left := left_behind(folder):
        assert time.monotonic() < deadline, left
        time.sleep(0.1)
    return True


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    place = tmp_path / "temporary"
    place.mkdir(mode=0o700)
    return place


def test_it_prints_a_report_for_each_patient_and_leaves_nothing_behind(folder: Path) -> None:
    running = start(folder)
    said, remarks = running.communicate(timeout=110)
    assert running.returncode == 0, remarks
    for patient in ("p-7f3a91", "p-3c90d2", "p-a81f07"):
        assert patient in said
    assert "clopidogrel" in said
    assert nothing_is_left(folder)


@pytest.mark.parametrize("moment", range(6), ids=lambda number: f"after {number} lines")
def test_ctrl_c_at_any_moment_leaves_no_process_and_no_file(folder: Path, moment: int) -> None:
    running = start(folder)
    assert running.stderr
    for _ in range(moment):
        running.stderr.readline()
    if moment == 0:
        while not any(folder.iterdir()):
            time.sleep(0.001)
    os.killpg(running.pid, signal.SIGINT)
    _, remarks = running.communicate(timeout=60)
    assert running.returncode == 130
    assert "Traceback" not in remarks
    assert nothing_is_left(folder)


def test_even_a_killed_demo_leaves_no_process(folder: Path) -> None:
    running = start(folder)
    assert running.stderr
    for _ in range(4):
        running.stderr.readline()
    running.kill()
    running.communicate()
    deadline = time.monotonic() + 60
    while processes := [line for line in left_behind(folder) if not line.startswith("/")]:
        assert time.monotonic() < deadline, processes
        time.sleep(0.1)
