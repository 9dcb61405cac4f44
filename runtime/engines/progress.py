"""Where a consumer stands: its lag, its signs of life, and what of it has stood still."""

import time
from collections.abc import Callable, Mapping
from typing import Any

from aiokafka import AIOKafkaConsumer, TopicPartition

Clock = Callable[[], float]


class Progress:
    """Where one consumer stands. Whoever watches asks often: what it was not asked about meanwhile it did not see.

    Nothing here trusts the wall clock, which may jump.
    """

    def __init__(self, clock: Clock = time.monotonic) -> None:
        self.consumer: AIOKafkaConsumer | None = None
        self.joined = False
        self._clock = clock
        self._next: dict[TopicPartition, int] = {}
        self._taken: dict[TopicPartition, tuple[int, Any]] = {}
        self._moved = clock()
        self._handling = False
        self._handling_seconds = 0.0
        self._outside = _Since(self._idle)
        self._heard: dict[TopicPartition, _Since] = {}
        self._undone: dict[TopicPartition, _Since] = {}

    def begin(self) -> None:
        """A consumer is being made."""
        self.consumer = None
        self._moved = self._clock()

    def took(self, fetched: Mapping[Any, int]) -> None:
        """Messages left the client to be handled; ``fetched`` has the offset after the last for each partition."""
        states = self._states()
        for each, offset in fetched.items():
            place = TopicPartition(each.topic, each.partition)
            self._taken[place] = (offset, states.get(place))

    def begin_batch(self) -> None:
        """A batch is being handled from now on."""
        self._handling = True
        self._moved = self._clock()

    def end_batch(self, handled: dict[TopicPartition, int]) -> None:
        """The batch is handled; ``handled`` has the offset to read next for each of its partitions."""
        now = self._clock()
        self._handling = False
        self._handling_seconds += now - self._moved
        self._moved = now
        self._next.update(handled)

    def poll_age(self) -> float:
        """Seconds since the last sign of life: the brokers were heard of, or a batch ended."""
        since_moved = self._clock() - self._moved
        if self._handling or self.consumer is None:
            return since_moved
        states = self._states()
        if not states and self.joined:
            return self._outside_group()
        return min([since_moved, *self._silences(states)])

    def stalled(self) -> float:
        """Seconds for which that part has stood still that has done so longest, the handling of batches apart.

        A client can lose one of its connections, or its place in the group, and go on with the rest for ever: so each
        partition has to be heard of, the group has to be joined, and what was taken has to be handled.
        """
        if self._handling or self.consumer is None:
            return self._clock() - self._moved
        states = self._states()
        return max([self._outside_group(), *self._silences(states), *self._delays(states)])

    def lag(self) -> int:
        """Published but unhandled messages of the assigned partitions, as far as the brokers have told."""
        behind = 0
        for partition, state in self._states().items():
            if state.highwater is not None:
                position = self._next.get(partition, state._position)
                behind += max(0, state.highwater - (position or 0))
        return behind

    def _idle(self) -> float:
        """A clock that stands still while a batch is handled: what waits for that has not been forgotten."""
        return self._clock() - self._handling_seconds

    def _silences(self, states: Mapping[TopicPartition, Any]) -> list[float]:
        """For each partition: the seconds since the brokers answered for it or messages of it were handled."""
        self._heard = {place: self._heard.get(place) or _Since(self._idle) for place in states}
        return [
            self._heard[place].unchanged((state, state.timestamp, self._next.get(place)))
            for place, state in states.items()
        ]

    def _delays(self, states: Mapping[TopicPartition, Any]) -> list[float]:
        """The seconds for which messages that were taken have not been handled, for each partition that has such."""
        waiting = {
            place: state
            for place, state in states.items()
            for offset, owner in [self._taken.get(place, (0, None))]
            # What was taken before the partition changed hands comes again, to whoever has it now.
            if owner is state and offset > self._next.get(place, 0)
        }
        self._undone = {place: self._undone.get(place) or _Since(self._idle) for place in waiting}
        return [self._undone[place].unchanged((state, self._next.get(place))) for place, state in waiting.items()]

    def _outside_group(self) -> float:
        """Seconds for which the member has been trying to join its group again; 0 in it."""
        coordinator: Any = getattr(self.consumer, "_coordinator", None)
        task = getattr(coordinator, "_coordination_task", None)
        outside = task is not None and (
            task.done() or coordinator._rejoin_needed_fut.done() or coordinator.coordinator_id is None
        )
        lasted = self._outside.unchanged(outside)
        return lasted if outside else 0.0

    def _states(self) -> dict[TopicPartition, Any]:
        # The consumer's own accessors raise while partitions change hands; this reads what is there at this moment.
        consumer = self.consumer
        if consumer is None or consumer._subscription.subscription is None:
            return {}
        assignment = consumer._subscription.subscription.assignment
        return {} if assignment is None else dict(assignment._tp_state)


class _Since:
    """For how long something has been as it is."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._value: object = self
        self._changed = clock()

    def unchanged(self, value: object) -> float:
        now = self._clock()
        if value != self._value:
            self._value, self._changed = value, now
        return now - self._changed
