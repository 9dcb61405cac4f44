"""Campaigns take minutes: they run when they are asked for, with ``-m chaos``."""

from collections.abc import Iterator

import pytest

from tests.chaos.machine import Machine, machine, missing


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("markers", "chaos: faults on purpose, for minutes; run with -m chaos")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    asked = "chaos" in str(config.getoption("markexpr"))
    reason = missing() if asked else "faults on purpose take minutes: run pytest -m chaos, or make chaos"
    for item in items:
        if item.get_closest_marker("chaos") and reason is not None:
            item.add_marker(pytest.mark.skip(reason=reason))


@pytest.fixture(scope="module")
def here() -> Iterator[Machine]:
    """A broker and a database that may be killed, one pair for each module."""
    with machine() as made:
        yield made
