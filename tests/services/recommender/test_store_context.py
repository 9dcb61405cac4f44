"""Clinical context in the results store, on a real PostgreSQL: what it changes, what is kept, what is read back."""

from typing import Any

import orjson
import pytest

from schemas.clinical_context import ClinicalContext, StatementStatus
from schemas.cloudevents import Event
from schemas.phenotype import PhenotypeAssigned
from schemas.serialise import to_json
from services.recommender.body import unpack
from services.recommender.dump import dump
from services.recommender.handler import Recommender, Taken
from services.recommender.report import applied, events_since, report
from services.recommender.store import Store
from tests.services.recommender.builders import assigned, release
from tests.services.recommender.context.statements import statement

pytestmark = pytest.mark.postgres

METOPROLOL = ("metoprolol", "CPIC")


def said(
    document: str = "S-1", *, patient: str = "p-1", event: str | None = None, **what: Any
) -> Event[ClinicalContext]:
    """A hospital's statement as an event; the same words make the same event."""
    one = statement(document, **what)
    content = one.said.model_copy(update={"patient": patient})
    sha256 = one.sha256 if patient == "p-1" else one.sha256[::-1]
    return Event(
        event or one.event_id, "/mercy/ward", "pgx.clinical-context.v1", "2026-11-24T09:00:00Z", content, sha256
    )


def normal(**options: Any) -> Event[PhenotypeAssigned]:
    return assigned({"CYP2D6": "*1/*1"}, **options)


async def published(store: Store) -> list[dict[str, Any]]:
    return [orjson.loads(unpack(row["body"])) for row in await store.pool.fetch("SELECT body FROM outbox ORDER BY id")]


async def take_in(recommender: Recommender, *events: Taken) -> None:
    for event in events:
        assert await recommender.handle([event]) == ()


async def dumped(store: Store, *, current_only: bool = False) -> list[bytes]:
    return [line async for line in dump(store, release, current_only=current_only)]


def about_metoprolol(event: dict[str, Any]) -> dict[str, Any]:
    return next(one for one in event["recommendations"] if (one["drug"], one["source"]) == METOPROLOL)


async def test_a_start_changes_the_advice_and_a_stop_changes_it_back(store: Store, recommender: Recommender) -> None:
    await take_in(
        recommender, normal(), said("A", day=1, started=["paroxetine"]), said("B", day=2, stopped=["paroxetine"])
    )
    first, started, stopped = await published(store)
    assert (first["sequence"], started["sequence"], stopped["sequence"]) == (1, 2, 3)
    assert started["cause"]["type"] == "clinical-context"
    assert started["cause"]["id"] == "A-1-1"
    change = next(c for c in started["changes"] if (c["after"] or c["before"])["drug"] == "metoprolol")
    assert (change["before"]["genes"], change["after"]["genes"]) == ({"CYP2D6": "2.0"}, {"CYP2D6": "0.0"})
    assert "CYP2D6 was 2.0, is 0.0" in change["reason"]
    assert started["phenotypes"][0]["effective"]["cause"][0]["drug"] == "paroxetine"
    assert started["medications"][0]["name"] == "paroxetine"
    assert about_metoprolol(stopped) == about_metoprolol(first)
    assert "effective" not in stopped["phenotypes"][0]


async def test_a_statement_that_changes_no_advice_publishes_nothing_and_is_kept(
    store: Store, recommender: Recommender
) -> None:
    await take_in(recommender, normal(), said(started=["paracetamol"], height_cm=170.0))
    assert [event["sequence"] for event in await published(store)] == [1]
    known = await report(store, release, "mercy", "p-1")
    assert known is not None
    assert [(one.name, one.recognised) for one in known.medications] == [("paracetamol", False)]


async def test_context_that_comes_before_the_first_result_waits_for_it(store: Store, recommender: Recommender) -> None:
    await take_in(recommender, said(started=["paroxetine"]))
    assert await published(store) == []
    known = await report(store, release, "mercy", "p-1")
    assert known is not None
    assert (known.knowledge, known.sequence, known.recommendations) == (None, 0, ())
    await take_in(recommender, normal())
    [event] = await published(store)
    assert about_metoprolol(event)["genes"] == {"CYP2D6": "0.0"}


async def test_the_same_statement_again_has_no_effect(store: Store, recommender: Recommender) -> None:
    once = said(started=["paroxetine"])
    await take_in(recommender, normal(), once, once, said(started=["paroxetine"], event="another-id"))
    await recommender.handle([once, once])
    assert [event["sequence"] for event in await published(store)] == [1, 2]
    assert await store.pool.fetchval("SELECT count(*) FROM statements") == 1
    [first], [again] = await applied(store, once.id), await applied(store, "another-id")
    assert (first.statement, first.sequence, first.duplicate) == ("ward/S-1", 2, False)
    assert (again.sequence, again.duplicate) == (None, True)


async def test_one_batch_of_both_kinds_is_taken_in_in_its_order(store: Store, recommender: Recommender) -> None:
    batch: list[Taken] = [
        said("A", started=["paroxetine"]), normal(), normal(patient="p-2"), said("B", day=2, stopped=["paroxetine"]),
    ]  # fmt: skip
    assert await recommender.handle(batch) == ()
    assert [(event["patient"], event["sequence"]) for event in await published(store)] == [
        ("p-1", 1), ("p-2", 1), ("p-1", 2),
    ]  # fmt: skip


async def test_an_entry_in_error_takes_back_what_it_changed(store: Store, recommender: Recommender) -> None:
    wrong = said("A", started=["paroxetine"])
    withdrawn = said("A", version=2, day=2, status=StatementStatus.ENTERED_IN_ERROR)
    await take_in(recommender, normal(), wrong, withdrawn)
    first, _, last = await published(store)
    assert last["recommendations"] == first["recommendations"]
    rows = await store.pool.fetch("SELECT version, superseded_by FROM statements ORDER BY ordinal")
    assert [tuple(row) for row in rows] == [(1, 3), (2, None)]


async def test_other_patients_are_left_alone(store: Store, recommender: Recommender) -> None:
    await take_in(recommender, normal(), normal(patient="p-2"), said(started=["paroxetine"], patient="p-2"))
    assert [(event["patient"], event["sequence"]) for event in await published(store)] == [
        ("p-1", 1), ("p-2", 1), ("p-2", 2),
    ]  # fmt: skip


async def test_events_are_rendered_again_as_they_were_published(store: Store, recommender: Recommender) -> None:
    await take_in(
        recommender,
        said("A", day=1, started=["paroxetine"], birth_year=1961),
        normal(),
        said("A", day=2, version=2, started=["duloxetine"]),
        assigned({"CYP2C19": "*2/*2"}, laboratory="other", accession="B"),
        said("B", day=3, started=["fluconazole"], stopped=["duloxetine"]),
    )
    bodies = [unpack(row["body"]) for row in await store.pool.fetch("SELECT body FROM outbox ORDER BY id")]
    assert len(bodies) == 4
    assert [to_json(event) async for event in events_since(store, release, "mercy", "p-1")] == bodies


async def test_the_dump_holds_statements_without_times_of_processing(store: Store, recommender: Recommender) -> None:
    await take_in(recommender, normal(), said("A", started=["paroxetine"]), said("A", version=2, started=["codeine"]))
    records = [orjson.loads(line) for line in await dumped(store)]
    kinds = [record["record"] for record in records]
    assert kinds == ["state", "result", "statement", "statement", "event", "event", "event"]
    older, newer = records[2:4]
    assert older["superseded_by"] == {"version": 2, "sha256": newer["sha256"]}
    assert newer["superseded_by"] is None
    assert newer["content"]["medications"] == [{"name": "codeine", "status": "started"}]


async def test_the_current_dump_is_the_same_in_any_order_of_arrival(store: Store, recommender: Recommender) -> None:
    events: list[Taken] = [
        normal(), said("A", day=1, started=["paroxetine"]), said("A", day=2, version=2, started=["codeine"]),
        said("B", day=3, stopped=["codeine"], source="practice"), normal(patient="p-2"),
    ]  # fmt: skip
    await take_in(recommender, *events)
    forwards = await dumped(store, current_only=True)
    await store.pool.execute("TRUNCATE patients CASCADE")
    await take_in(recommender, *reversed(events))
    assert await dumped(store, current_only=True) == forwards
