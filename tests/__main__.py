"""Runs every test that this machine can run, in parallel, and ends with what was left out and why: ``python -m tests``.

Arguments go to pytest.
"""

import os
import sys
from collections import Counter

import pytest

MOST_PROCESSES = 4
"""Each may start a broker and a database of its own."""


class LeftOut:
    """Collects the reasons of tests that were skipped."""

    def __init__(self) -> None:
        self.reasons: Counter[str] = Counter()

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        if report.skipped and not hasattr(report, "wasxfail"):
            self._count(report.longrepr)

    def pytest_collectreport(self, report: pytest.CollectReport) -> None:
        if report.skipped:
            self._count(report.longrepr)

    def _count(self, longrepr: object) -> None:
        reason = longrepr[2] if isinstance(longrepr, tuple) else str(longrepr)
        self.reasons[reason.removeprefix("Skipped: ")] += 1


def main(arguments: list[str]) -> int:
    """Exit status of the test run."""
    left_out = LeftOut()
    processes = min(MOST_PROCESSES, os.cpu_count() or 1)
    status = pytest.main([f"--numprocesses={processes}", "--dist=loadgroup", *arguments], plugins=[left_out])
    if not left_out.reasons:
        print("Nothing was left out.")
    for reason, number in sorted(left_out.reasons.items()):
        print(f"Left out: {number} {'test' if number == 1 else 'tests'}: {reason}")
    return int(status)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
