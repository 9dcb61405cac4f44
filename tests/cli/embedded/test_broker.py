"""The embedded broker ends with whoever started it, however that ends."""

import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest

from cli.embedded import broker

ROOT = Path(__file__).resolve().parents[3]
_HOLDER = """
import sys, time
from pathlib import Path
from cli.embedded import broker
with broker.start(Path(sys.argv[1])) as running:
    print(running.bootstrap_servers, flush=True)
    time.sleep(300)
"""


def accepts(port: int) -> bool:
    try:
        socket.create_connection(("127.0.0.1", port), timeout=1).close()
    except OSError:
        return False
    return True


def gone(port: int) -> bool:
    deadline = time.monotonic() + 30
    while accepts(port):
        if time.monotonic() > deadline:
            return False
        time.sleep(0.05)
    return True


def test_it_accepts_clients_and_leaves_no_process_and_no_port(tmp_path: Path) -> None:
    with broker.start(tmp_path) as running:
        port = int(running.bootstrap_servers.rpartition(":")[2])
        assert accepts(port)
        guard = running.process.pid
    assert gone(port)
    with pytest.raises(ProcessLookupError):
        os.kill(guard, 0)


def test_two_run_side_by_side(tmp_path: Path) -> None:
    with broker.start(tmp_path) as one, broker.start(tmp_path) as other:
        assert one.bootstrap_servers != other.bootstrap_servers


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM, signal.SIGINT])
def test_it_does_not_outlive_a_parent_that_was_killed(tmp_path: Path, number: signal.Signals) -> None:
    with subprocess.Popen(
        [sys.executable, "-c", _HOLDER, str(tmp_path)], cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
    ) as parent:
        assert parent.stdout is not None
        port = int(parent.stdout.readline().decode().rpartition(":")[2])
        assert accepts(port)
        parent.send_signal(number)
    assert gone(port)


def test_without_its_package_it_says_what_to_do(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(broker.importlib.util, "find_spec", lambda name: None)
    with pytest.raises(broker.EmbeddedBrokerError, match="pip install"), broker.start(tmp_path):
        pass
