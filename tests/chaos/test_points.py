"""The steps that tests reach into are still where they look for them; campaigns, which use them, run rarely."""

import subprocess
import sys

from tests.chaos.machine import ROOT
from tests.chaos.points import STAGES

_INSTALL = """
import sys
from cli.run import main_of
from tests.chaos import naive, points, worker
for stage in sys.argv[1:]:
    points.install(stage, print)
    worker._break_domain(stage, "BUG")
    main_of(stage)
naive.install()
"""


def test_every_step_of_every_service_can_be_wrapped() -> None:
    # In a process of its own: it is not undone.
    done = subprocess.run([sys.executable, "-c", _INSTALL, *STAGES], cwd=ROOT, capture_output=True, check=False)
    assert done.returncode == 0, done.stderr.decode()
