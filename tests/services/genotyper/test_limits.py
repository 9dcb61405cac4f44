"""No sample takes more than a second of processor time or 200 MB, whatever it holds."""

import subprocess
import sys

import pytest

from tests.services.genotyper.limited import GOOD


@pytest.mark.skipif(sys.platform != "linux", reason="limits of a process are set as Linux has them")
def test_the_worst_samples_known_are_answered_within_limits() -> None:
    command = [sys.executable, "-m", "tests.services.genotyper.limited"]
    run = subprocess.run(command, check=True, capture_output=True, text=True)
    ended = dict(line.split("\t") for line in run.stdout.splitlines())
    assert len(ended) > 30
    assert {name: how for name, how in ended.items() if how != GOOD} == {}
