"""The sample subscribers on a real broker: every event has its effect once in the hospital's database."""

import json
from collections.abc import Iterator, Sequence
from itertools import chain
from pathlib import Path
from typing import Any

import pytest

from runtime.admin import create_topics
from runtime.message import Outgoing
from runtime.settings import Settings
from schemas.cloudevents import encode
from schemas.genotype import KnowledgeRef
from schemas.recommendation import Cause, Change, ChangeKind, Citation, Recommendation, RecommendationsChanged
from schemas.topics import RECOMMENDATION
from tests.examples.hospital import Hospital, missing
from tests.support.streams import content, eventually, publish

pytestmark = [pytest.mark.kafka, pytest.mark.timeout(300)]

PATIENTS = [f"mercy/p-{number}" for number in range(12)]
EVENTS = 9
KILLS = 3


@pytest.fixture(params=["python", "java"])
async def hospital(request: pytest.FixtureRequest, settings: Settings, tmp_path: Path) -> Any:
    if reason := missing(request.param):
        pytest.skip(reason)
    await create_topics(settings, [RECOMMENDATION])
    subscriber = Hospital(request.param, settings, tmp_path)
    yield subscriber
    subscriber.kill()


def recommendation(drug: str, action: str) -> Recommendation:
    return Recommendation(
        drug=drug, rxnorm=None, source="CPIC", population="general", genes={"CYP2C19": "Poor Metabolizer"},
        actions=(action,), strength="strong", text=f"{drug}: {action}", citation=Citation(guideline="g"),
        rule=f"rule-{drug}", priority=1, confidence="high",
    )  # fmt: skip


def event(patient: str, sequence: int, before: Sequence[Recommendation], after: Sequence[Recommendation]) -> Outgoing:
    """The event that follows one list by another, as the pipeline publishes it."""
    old, new = ({one.rule: one for one in those} for those in (before, after))
    changes = tuple(
        Change(change=kind, rule=rule, before=old.get(rule), after=new.get(rule), reason="a new result")
        for rule in sorted(old.keys() | new.keys())
        if old.get(rule) != new.get(rule)
        for kind in [
            ChangeKind.ISSUED if rule not in old else ChangeKind.WITHDRAWN if rule not in new else ChangeKind.CHANGED
        ]
    )
    tenant, pseudonym = patient.split("/")
    data = RecommendationsChanged(
        tenant=tenant, patient=pseudonym, sequence=sequence, cause=Cause(type="lab-result", id=f"{patient}-{sequence}"),
        knowledge=KnowledgeRef(release="2026.11", sha256="0" * 64), changes=changes, recommendations=tuple(after),
    )  # fmt: skip
    key, value, headers = encode(
        RECOMMENDATION, data, id=f"{patient}-{sequence}", source="/test", time="2026-11-23T10:00:00Z"
    )
    return Outgoing(RECOMMENDATION.name, key, value, tuple(headers))


def stated(sequence: int) -> list[Recommendation]:
    """The list after so many events: one drug is always there, a second comes and goes, a third changes."""
    if sequence == 0:
        return []
    lists = [recommendation("always", "avoid"), recommendation("changing", f"action-{sequence // 3}")]
    return lists + ([recommendation("sometimes", "monitor")] if sequence % 2 else [])


def history(patient: str, events: int = EVENTS) -> list[Outgoing]:
    return [event(patient, number, stated(number - 1), stated(number)) for number in range(1, events + 1)]


def told(messages: Sequence[Outgoing]) -> list[tuple[Any, ...]]:
    """What a hospital that saw each event once has told: patient, sequence, change and drug, in their order."""
    found = []
    for message in messages:
        one = json.loads(message.value or b"")
        for change in one["changes"]:
            drug = (change["after"] or change["before"])["drug"]
            found.append((f"{one['tenant']}/{one['patient']}", one["sequence"], change["change"], drug))
    return sorted(found, key=lambda notice: notice[:2])


def current(patient: str, sequence: int) -> list[tuple[Any, ...]]:
    return sorted((patient, one.drug, ", ".join(one.actions)) for one in stated(sequence))


async def send(settings: Settings, messages: Sequence[Outgoing]) -> None:
    topic = settings.topic(RECOMMENDATION)
    await publish(settings, RECOMMENDATION, [Outgoing(topic, one.key, one.value, one.headers) for one in messages])


async def has_read_everything(settings: Settings, hospital: Hospital) -> None:
    ends: dict[int, int] = {}
    for message in await content(settings, RECOMMENDATION):
        ends[message.partition] = message.offset + 1
    await eventually(lambda: hospital.positions() == ends, "the hospital has read the whole topic", 120)


def redelivered(messages: Sequence[Outgoing]) -> Iterator[Outgoing]:
    """As a relay that was killed and began again with what it had sent: 1 2 3, 2 3 4, 3 4 5 …"""
    return chain.from_iterable(messages[max(0, place - 2) : place + 1] for place in range(len(messages)))


async def test_killed_and_started_again_among_duplicates_it_tells_each_change_once(
    settings: Settings, hospital: Hospital
) -> None:
    histories = [history(patient) for patient in PATIENTS]
    deliveries = [list(redelivered(one)) for one in histories]
    steps = len(deliveries[0]) // (KILLS + 1) + 1
    for begin in range(0, len(deliveries[0]), steps):
        hospital.start()
        await send(settings, [one for patient in deliveries for one in patient[begin : begin + steps]])
        before = sum(hospital.positions().values())
        await eventually(lambda before=before: sum(hospital.positions().values()) > before, "the hospital reads", 120)
        hospital.kill()
    hospital.start()
    await has_read_everything(settings, hospital)
    assert hospital.notices() == told(list(chain.from_iterable(histories)))
    assert hospital.advice() == sorted(chain.from_iterable(current(patient, EVENTS) for patient in PATIENTS))


async def test_what_it_missed_it_finds_in_the_full_list_of_the_next_event(
    settings: Settings, hospital: Hospital
) -> None:
    patient = PATIENTS[0]
    events = history(patient, 6)
    hospital.start()
    await send(settings, [events[1], events[4], events[3], events[5]])
    await has_read_everything(settings, hospital)
    assert hospital.notices() == [
        (patient, 2, "issued", "always"),
        (patient, 2, "issued", "changing"),
        (patient, 5, "changed", "changing"),
        (patient, 5, "issued", "sometimes"),
        (patient, 6, "changed", "changing"),
        (patient, 6, "withdrawn", "sometimes"),
    ]
    assert hospital.advice() == current(patient, 6)
    assert f"{patient}: events 3 to 4 did not come" in hospital.said()


async def test_an_erased_patient_is_forgotten_and_may_come_again(settings: Settings, hospital: Hospital) -> None:
    erased, other = PATIENTS[:2]
    events = history(erased, 3)
    tombstone = Outgoing(RECOMMENDATION.name, erased.encode(), None, ())
    hospital.start()
    await send(settings, [*events, *history(other, 1), tombstone, *events, tombstone])
    await has_read_everything(settings, hospital)
    assert {patient for patient, *_ in (*hospital.notices(), *hospital.advice())} == {other}
    await send(settings, events[:1])
    await has_read_everything(settings, hospital)
    assert hospital.notices() == told([*events[:1], *history(other, 1)])
