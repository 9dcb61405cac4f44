"""The source tables and the releases made from them, read once."""

import pytest

from knowledge.loader import Releases
from knowledge.release import Release
from knowledge.sources import Tables, read


@pytest.fixture(scope="session")
def tables() -> Tables:
    return read()


@pytest.fixture(scope="session")
def releases() -> Releases:
    return Releases()


@pytest.fixture(scope="session")
def before(releases: Releases) -> Release:
    """The release in force in November 2025."""
    return releases.load("2025.11")


@pytest.fixture(scope="session")
def after(releases: Releases) -> Release:
    """The release current in November 2026."""
    return releases.load("2026.11")
