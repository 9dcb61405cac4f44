"""A copy whose partitions are taken from it again and again says so, and what to do about it."""

import pytest
from structlog.testing import capture_logs

from runtime.engines.assignments import Assignments


class Clock:
    now = 1000.0

    def __call__(self) -> float:
        return self.now


def warnings(times: int, every: float, instance: str | None = None) -> list[str]:
    """The remedies told of so many assignments, one every so many seconds."""
    clock = Clock()
    assignments = Assignments(instance, clock)
    with capture_logs() as lines:
        for _ in range(times):
            assignments.assigned([2, 0])
            clock.now += every
    assert [line["partitions"] for line in lines if line["event"] == "partitions assigned"] == [[0, 2]] * times
    return [line["remedy"] for line in lines if line["log_level"] == "warning"]


def test_a_few_assignments_are_as_they_should_be() -> None:
    assert warnings(times=7, every=0.1) == []
    assert warnings(times=100, every=5.0) == []


@pytest.mark.parametrize("every", [0.5, 2.0, 4.0])
def test_partitions_that_change_hands_all_the_time_are_reported(every: float) -> None:
    assert len(warnings(times=12, every=every)) == 1


def test_it_is_said_once_a_minute_for_as_long_as_it_lasts() -> None:
    assert len(warnings(times=100, every=2.0)) == 3


def test_the_remedy_names_the_setting_that_two_copies_may_share() -> None:
    assert warnings(times=8, every=1.0, instance="genotyper-1") == [
        "give every copy of this service a PGX_INSTANCE of its own: another one may have genotyper-1 too"
    ]
    assert warnings(times=8, every=1.0) == ["see which copies of this service start and end all the time"]
