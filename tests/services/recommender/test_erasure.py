"""Erasing a patient: gone at once, a tombstone for hospitals, and nothing old brings the patient back."""

import asyncio
import json
from datetime import UTC, datetime, timedelta

import orjson
import pytest

from schemas.cloudevents import Event
from schemas.lab_result import Status
from schemas.phenotype import PhenotypeAssigned
from services.recommender.dump import dump
from services.recommender.erasure import erase
from services.recommender.export import export
from services.recommender.handler import Recommender
from services.recommender.report import report
from services.recommender.store import Store
from tests.services.recommender.builders import assigned, release

pytestmark = pytest.mark.postgres

POOR = {"CYP2C19": "*2/*2"}


def later(event: Event[PhenotypeAssigned]) -> Event[PhenotypeAssigned]:
    """The same, published after now."""
    time = (datetime.now(UTC) + timedelta(hours=1)).isoformat()
    return Event(event.id[:-4] + "beef", event.source, event.type, time, event.data, event.sha256)


async def held(store: Store) -> dict[str, int]:
    """Rows of each table that may hold something about patients."""
    tables = ("patients", "results", "statements", "inbox", "history")
    return {table: await store.pool.fetchval(f"SELECT count(*) FROM {table}") for table in tables}  # noqa: S608


async def test_nothing_is_left_but_a_tombstone_and_a_hash(store: Store, recommender: Recommender) -> None:
    await recommender.handle([assigned(POOR), assigned(POOR, version=2, status=Status.CORRECTED)])
    assert await erase(store, "mercy", "p-1")
    assert set((await held(store)).values()) == {0}
    (waiting,) = await store.pool.fetch("SELECT key, body FROM outbox")
    assert (waiting["key"], waiting["body"]) == ("mercy/p-1", None)
    (erasure,) = await store.pool.fetch("SELECT * FROM erasures")
    assert b"p-1" not in erasure["patient"]
    assert await report(store, release, "mercy", "p-1") is None


async def test_what_was_published_before_has_no_effect_any_more(store: Store, recommender: Recommender) -> None:
    first, second = assigned(POOR), assigned(POOR, version=2)
    await recommender.handle([first])
    await erase(store, "mercy", "p-1")
    assert await recommender.handle([first, second]) == ()
    assert set((await held(store)).values()) == {0}


async def test_what_is_published_later_begins_anew(store: Store, recommender: Recommender) -> None:
    await recommender.handle([assigned(POOR), assigned(POOR, version=2, status=Status.CORRECTED)])
    await erase(store, "mercy", "p-1")
    await recommender.handle([later(assigned(POOR, version=3))])
    found = await report(store, release, "mercy", "p-1")
    assert found
    assert (found.sequence, [note.version for note in found.results]) == (1, [3])


async def test_an_unknown_patient_can_be_erased_after_a_restore(store: Store, recommender: Recommender) -> None:
    assert not await erase(store, "mercy", "p-1", datetime(2026, 6, 1, tzinfo=UTC))
    assert await store.pool.fetchval("SELECT count(*) FROM outbox") == 0
    await recommender.handle([assigned(POOR)])
    assert set((await held(store)).values()) == {0}
    await recommender.handle([later(assigned(POOR))])
    assert (await held(store))["patients"] == 1


async def test_an_event_that_waits_for_the_erasure_finds_the_patient_gone(
    store: Store, recommender: Recommender
) -> None:
    await recommender.handle([assigned(POOR)])
    for number in range(5):
        done = await asyncio.gather(
            erase(store, "mercy", "p-1"), recommender.handle([later(assigned(POOR, version=2 + number))])
        )
        assert done[1] == ()


async def test_others_are_not_touched(store: Store, recommender: Recommender) -> None:
    await recommender.handle([assigned(POOR, patient="p-2"), assigned(POOR, tenant="grace")])
    before = [line async for line in dump(store, release)]
    await recommender.handle([assigned(POOR)])
    await erase(store, "mercy", "p-1")
    assert [line async for line in dump(store, release)] == before


async def test_an_export_holds_every_row_and_event(store: Store, recommender: Recommender) -> None:
    await recommender.handle([assigned(POOR), assigned(POOR, version=2, status=Status.CORRECTED)])
    everything = json.loads(orjson.dumps(await export(store, release, "mercy", "p-1")))
    assert [event["sequence"] for event in everything["events"]] == [1, 2]
    counts = {table: len(rows) for table, rows in everything["tables"].items()}
    assert counts == await held(store)
    assert everything["not_yet_published"] == 2
    assert everything["tables"]["results"][0]["accession"] == "ACC-1"
    assert await export(store, release, "mercy", "p-2") is None
