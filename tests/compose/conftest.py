"""The stack that the tests of a module share: one at a time, as all of them are one group of the test processes."""

from collections.abc import Iterator

import pytest

from tests.compose.stack import Stack, running


@pytest.fixture(scope="module")
def stack(request: pytest.FixtureRequest) -> Iterator[Stack]:
    """A deployment by docker-compose.yml and the overlays that the module names in ``OVERLAYS``."""
    with running(*getattr(request.module, "OVERLAYS", ())) as deployment:
        yield deployment
