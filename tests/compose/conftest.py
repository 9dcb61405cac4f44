"""The stack that the tests of this folder share. ``TEST_COMPOSE=required`` makes its absence a failure."""

import os
from collections.abc import Iterator

import pytest

from tests.compose import stack as real


@pytest.fixture(scope="session")
def stack() -> Iterator[real.Stack]:
    """The whole deployment, started from nothing and removed with its volumes at the end."""
    if reason := real.missing():
        if os.environ.get("TEST_COMPOSE") == "required":
            pytest.fail(reason)
        pytest.skip(reason)
    deployment = real.Stack()
    try:
        deployment.up()
        yield deployment
    finally:
        deployment.compose("down", "--volumes", "--remove-orphans", "--timeout", "30", check=False)
