"""What a consumer shows of itself to those who watch it, second by second."""

from types import SimpleNamespace
from typing import Any

import pytest
from aiokafka import TopicPartition

from runtime.engines.progress import Progress

A, B = TopicPartition("pgx.genotype.v1", 0), TopicPartition("pgx.genotype.v1", 1)
LIMIT = 150.0


class Watched:
    """A consumer of two partitions and its progress, on a clock that the test moves."""

    def __init__(self) -> None:
        self.now = 1000.0
        self.places: dict[TopicPartition, Any] = {A: self.place(), B: self.place()}
        self.coordinator = SimpleNamespace(
            _coordination_task=SimpleNamespace(done=lambda: False),
            _rejoin_needed_fut=SimpleNamespace(done=lambda: self.outside),
            coordinator_id=1,
        )
        self.outside = False
        self.progress = Progress(lambda: self.now)
        assignment = SimpleNamespace(_tp_state=self.places)
        subscription = SimpleNamespace(subscription=SimpleNamespace(assignment=assignment))
        self.progress.consumer = SimpleNamespace(_subscription=subscription, _coordinator=self.coordinator)
        self.progress.joined = True

    @staticmethod
    def place() -> Any:
        return SimpleNamespace(timestamp=None, highwater=0, _position=0)

    def passes(self, seconds: int, *heard: TopicPartition) -> float:
        """So many seconds, in each of which the brokers answer for some partitions; how long something stood still."""
        for _ in range(seconds):
            self.now += 1
            for place in heard:
                self.places[place].timestamp = int(self.now * 1000)
            self.progress.stalled()
        return self.progress.stalled()


@pytest.fixture
def watched() -> Watched:
    found = Watched()
    found.passes(1, A, B)
    return found


def test_brokers_that_answer_for_every_partition_are_a_sign_of_life(watched: Watched) -> None:
    assert watched.passes(1000, A, B) <= 1


def test_one_silent_partition_shows_though_the_others_go_on(watched: Watched) -> None:
    assert watched.passes(200, A) > LIMIT
    assert watched.progress.poll_age() <= 1, "the brokers themselves are there"
    assert watched.passes(1, A, B) <= 1


def test_a_member_that_cannot_join_its_group_again_shows(watched: Watched) -> None:
    watched.outside = True
    assert watched.passes(200, A, B) > LIMIT
    watched.outside = False
    assert watched.passes(1, A, B) <= 1


def test_a_member_that_lost_its_group_and_has_no_partitions_shows(watched: Watched) -> None:
    watched.places.clear()
    assert watched.passes(1000) == 0, "there are more members than partitions"
    watched.coordinator.coordinator_id = None
    assert watched.passes(200) > LIMIT


def test_a_coordination_that_ended_shows(watched: Watched) -> None:
    watched.coordinator._coordination_task = SimpleNamespace(done=lambda: True)
    assert watched.passes(200, A, B) > LIMIT


def test_messages_that_were_taken_and_are_never_handled_show(watched: Watched) -> None:
    watched.progress.took({A: 3})
    assert watched.passes(200, A, B) > LIMIT
    watched.progress.begin_batch()
    watched.progress.end_batch({A: 3})
    assert watched.passes(1000, A, B) <= 1


def test_messages_taken_before_a_partition_changed_hands_are_not_waited_for(watched: Watched) -> None:
    watched.progress.took({A: 3})
    watched.places[A] = watched.place()
    assert watched.passes(1000, A, B) <= 1


def test_a_long_batch_is_no_silence_of_the_partitions_that_wait_for_it(watched: Watched) -> None:
    for round_ in range(10):
        watched.progress.begin_batch()
        assert watched.passes(100) <= 100, "the batch itself is watched"
        watched.progress.end_batch({A: round_})
        assert watched.passes(1, A) < LIMIT


def test_a_batch_that_never_ends_shows(watched: Watched) -> None:
    watched.progress.begin_batch()
    assert watched.passes(200, A, B) > LIMIT
