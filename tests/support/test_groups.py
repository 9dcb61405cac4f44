"""Tests that share a deployment stay on one worker: each worker would start one of its own."""

import pytest

pytestmark = pytest.mark.xdist_group("shared")


def test_parallel_workers_see_the_group_of_a_test(request: pytest.FixtureRequest) -> None:
    if not getattr(request.config.option, "loadgroup", False):
        pytest.skip("only where groups are asked for: python -m tests")
    assert request.node.nodeid.endswith("@shared")
