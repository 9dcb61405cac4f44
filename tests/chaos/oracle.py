"""What must hold after any faults, counted exactly.

Two oracles. What went in is what had an effect or became a dead letter, each once. And store and published events are
those of a run without faults, byte for byte.
"""

import hashlib
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from tests.chaos.workload import Cause, Input, order_is_open

Patient = str
"""Message key: tenant/patient."""
Place = tuple[str, int, int]
"""Topic, partition and offset of a message from outside."""


@dataclass(frozen=True, slots=True)
class Letter:
    """A dead letter, each once however often it was delivered. ``place``: that of the original."""

    place: Place
    stage: str
    code: str
    number: int
    """Of the input; -1 where the letter does not say."""
    cause: Cause | None = None
    """The laboratory's event, where the original is an event of ours; None for what came from outside."""


@dataclass(frozen=True, slots=True)
class Published:
    """A recommendation event as it lies on the topic."""

    patient: Patient
    sequence: int
    id: str
    value: bytes


@dataclass(slots=True)
class Observed:
    """What a run left behind."""

    on_topic: dict[Place, int] = field(default_factory=dict)
    """The input at each place of the topics from outside."""
    applied: list[Cause] = field(default_factory=list)
    """One for each event that the store has handled."""
    results: list[tuple[str, ...]] = field(default_factory=list)
    """One for each accepted result and statement: what identifies it."""
    history: list[tuple[Patient, int, str, str]] = field(default_factory=list)
    """Published events by the store: patient, sequence, id of the cause, SHA-256 of the value."""
    letters: list[Letter] = field(default_factory=list)
    published: list[Published] = field(default_factory=list)
    """In the order of the topic."""
    unsent: int = 0
    """Rows in the outbox."""
    dump: list[bytes] = field(default_factory=list)
    """``pgx store dump``; of patients whose order is open, ``pgx store dump --current``."""
    deliveries: dict[str, tuple[int, int]] = field(default_factory=dict)
    """Messages on each internal topic and how many different ones they are: how much was delivered again."""


@dataclass(slots=True)
class Verdict:
    """Every single thing that is wrong, in words."""

    lost: list[str] = field(default_factory=list)
    doubled: list[str] = field(default_factory=list)
    different: list[str] = field(default_factory=list)

    @property
    def clean(self) -> bool:
        return not (self.lost or self.doubled or self.different)

    def __str__(self) -> str:
        named = {"lost": self.lost, "doubled": self.doubled, "different": self.different}
        return "; ".join(f"{len(items)} {name} {items[:5] if items else ''}".strip() for name, items in named.items())


@dataclass(frozen=True, slots=True)
class Bug:
    """The domain code of a stage was made to fail for inputs with this text in them: they are to be dead letters."""

    stage: str
    text: str


def judge(inputs: Sequence[Input], seen: Observed, reference: Observed | None, bug: Bug | None = None) -> Verdict:
    """Hold a run against its input and against a run without faults."""
    verdict = Verdict()
    numbered = {one.number: one for one in inputs}
    failing = {one.number for one in inputs if one.cause is not None and bug and bug.text.encode() in one.value}
    fatal = {one.number for one in inputs if one.cause is None} | failing
    refused = fatal if bug is None or bug.stage == "genotyper" else fatal - failing
    _inputs(verdict, numbered, fatal, seen)
    _letters(verdict, refused, seen)
    if bug is not None and bug.stage != "genotyper":
        told = {letter.cause for letter in seen.letters if letter.stage == bug.stage}
        wanted = {cause for number in failing if (cause := numbered[number].cause) is not None}
        verdict.lost += [f"no dead letter for event {cause}" for cause in sorted(wanted - told)]
    _publications(verdict, seen)
    if reference is not None:
        _same(verdict, seen, reference)
    return verdict


def _inputs(verdict: Verdict, numbered: Mapping[int, Input], fatal: set[int], seen: Observed) -> None:
    there = set(seen.on_topic.values())
    verdict.lost += [f"input {number} is not on the topic" for number in numbered.keys() - there]
    # One event may have been published by several messages.
    wanted = {one.cause for number, one in numbered.items() if number not in fatal and one.cause is not None}
    times = Counter(seen.applied)
    verdict.lost += [f"event {cause} had no effect" for cause in sorted(wanted - times.keys())]
    verdict.doubled += [f"event {cause} had an effect {n} times" for cause, n in sorted(times.items()) if n > 1]
    verdict.doubled += [f"event {cause} was never published" for cause in sorted(times.keys() - wanted)]
    verdict.doubled += [f"result {one} accepted {n} times" for one, n in Counter(seen.results).items() if n > 1]


def _letters(verdict: Verdict, fatal: set[int], seen: Observed) -> None:
    ours = [letter for letter in seen.letters if letter.cause is None]
    wanted = {place for place, number in seen.on_topic.items() if number in fatal}
    verdict.lost += [f"no dead letter for {place}" for place in sorted(wanted - {letter.place for letter in ours})]
    for letter in ours:
        if letter.place not in wanted:
            verdict.doubled.append(f"a dead letter for {letter.place}, which is good: {letter.code}")
    times = Counter(letter.place for letter in ours)
    verdict.doubled += [f"{n} dead letters for {place}" for place, n in times.items() if n > 1]


def _publications(verdict: Verdict, seen: Observed) -> None:
    """A subscriber that ignores sequences not above its last gets each event once, in order, and the right one."""
    verdict.lost += ["an event is still in the outbox"] * seen.unsent
    last: dict[Patient, int] = defaultdict(int)
    first: dict[tuple[Patient, int], Published] = {}
    for event in seen.published:
        known = first.setdefault((event.patient, event.sequence), event)
        if (known.id, known.value) != (event.id, event.value):
            verdict.doubled.append(f"{event.patient} has two different events {event.sequence}")
        if event.sequence > last[event.patient]:
            missed = range(last[event.patient] + 1, event.sequence)
            verdict.lost += [f"{event.patient}: {event.sequence} came before {one}" for one in missed]
            last[event.patient] = event.sequence
    stored = {(patient, sequence): sha256 for patient, sequence, _, sha256 in seen.history}
    verdict.lost += [f"{patient}: event {n} was not published" for patient, n in sorted(stored.keys() - first.keys())]
    verdict.doubled += [
        f"{patient}: event {n} is not in the store" for patient, n in sorted(first.keys() - stored.keys())
    ]
    verdict.doubled += [
        f"{patient}: event {n} differs from the store's"
        for (patient, n), event in first.items()
        if (patient, n) in stored and hashlib.sha256(event.value).hexdigest() != stored[patient, n]
    ]


def _same(verdict: Verdict, seen: Observed, reference: Observed) -> None:
    wrong = [
        f"store: line {place}"
        for place, pair in enumerate(zip(seen.dump, reference.dump, strict=False))
        if pair[0] != pair[1]
    ]
    if len(seen.dump) != len(reference.dump):
        wrong.append(f"store: {len(seen.dump)} lines, {len(reference.dump)} without faults")
    ours, theirs = (
        {(one.patient, one.sequence): (one.id, one.value) for one in run.published if not order_is_open(one.patient)}
        for run in (seen, reference)
    )
    wrong += [f"published: {key}" for key in sorted(ours.keys() | theirs.keys()) if ours.get(key) != theirs.get(key)]
    letters, others = (
        {(one.number, one.cause, one.stage, one.code) for one in run.letters} for run in (seen, reference)
    )
    wrong += [f"dead letter: {one}" for one in sorted(letters ^ others, key=str)]
    verdict.different += wrong
