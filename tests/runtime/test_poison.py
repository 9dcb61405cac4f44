"""When a topic is full of poison: by failures in a row, and by their share."""

from hypothesis import given
from hypothesis import strategies as st

from runtime.poison import WINDOW, PoisonLimits

PLACE = ("pgx.lab-result.v1", 0)


def reached(limits: PoisonLimits, failures: list[bool]) -> list[str | None]:
    return [limits.count(PLACE, failed) for failed in failures]


@given(st.lists(st.booleans(), max_size=60), st.integers(1, 6))
def test_a_run_reaches_its_limit_exactly_where_so_many_failed_in_a_row(failures: list[bool], limit: int) -> None:
    found = reached(PoisonLimits(limit, 1.0), failures)
    for place, said in enumerate(found):
        run = failures[max(0, place - limit + 1) : place + 1]
        assert (said is not None) == (len(run) == limit and all(run))


def test_a_share_above_the_limit_is_seen_however_the_failures_are_spread() -> None:
    limits = PoisonLimits(WINDOW, 0.5)
    alternating = [place % 2 == 0 for place in range(WINDOW)]
    assert not any(reached(limits, alternating)), "exactly half is allowed"
    assert reached(limits, [True, True])[-1] == "501 of the last 1,000 messages"


def test_a_few_messages_are_no_share_yet() -> None:
    assert not any(reached(PoisonLimits(WINDOW, 0.1), [True] * (WINDOW - 1)))


def test_good_messages_make_up_for_bad_ones_that_lie_far_behind() -> None:
    limits = PoisonLimits(WINDOW, 0.5)
    reached(limits, [True] * 500 + [False] * 1000)
    assert not any(reached(limits, [True] * 500))


def test_partitions_are_counted_apart_and_a_run_of_an_earlier_process_goes_on() -> None:
    limits = PoisonLimits(3, 1.0)
    assert not limits.knows(PLACE)
    limits.resume(PLACE, 2)
    assert limits.knows(PLACE)
    assert limits.count(("pgx.lab-result.v1", 1), True) is None
    assert limits.count(PLACE, True) == "3 messages in a row"
