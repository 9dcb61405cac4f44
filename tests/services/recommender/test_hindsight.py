"""What was known and advised at a moment, and what the same results say under another release."""

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from cli.interpretation import Interpreter
from schemas.genotype import KnowledgeRef
from schemas.lab_result import Status
from schemas.serialise import to_json
from services.recommender.handler import Recommender
from services.recommender.hindsight import Moment, report_at
from services.recommender.report import Report, events_since, report
from services.recommender.store import Store
from tests.services.recommender.activating import activated
from tests.services.recommender.builders import assigned, release
from tests.support.results import phenotyped

pytestmark = pytest.mark.postgres

FIRST = datetime(2026, 3, 1, tzinfo=UTC)
POOR, NORMAL = {"CYP2C19": "*2/*2"}, {"CYP2C19": "*1/*1"}
PANEL = Path("examples/genotyping-panel.json").read_bytes()
INTERPRET = Interpreter(release)


async def day_by_day(store: Store, recommender: Recommender, *events: object) -> None:
    """Takes in one event a day; the times of recording are set to these days."""
    for day, event in enumerate(events):
        assert await recommender.handle([event]) == ()  # type: ignore[list-item]
        for table, place in (("results", "ordinal"), ("history", "sequence")):
            statement = f"UPDATE {table} SET recorded = $1 WHERE recorded > now() - interval '1 day' AND {place} > 0"  # noqa: S608
            await store.pool.execute(statement, FIRST + timedelta(days=day))


async def at(store: Store, day: float | None, knowledge: str | None = None, patient: str = "p-1") -> Report | None:
    under = None
    if knowledge is not None:
        under = KnowledgeRef(release=knowledge, sha256=release(knowledge).sha256)
    moment = Moment(None if day is None else FIRST + timedelta(days=day), under)
    return await report_at(store, release, "mercy", patient, moment, INTERPRET)


async def test_each_day_shows_what_had_been_advised_by_then(store: Store, recommender: Recommender) -> None:
    corrected = assigned(NORMAL, version=2, status=Status.CORRECTED)
    await day_by_day(store, recommender, assigned(POOR), corrected, assigned({"TPMT": "*1/*3A"}, accession="B"))
    published = [event async for event in events_since(store, release, "mercy", "p-1")]
    for day, event in enumerate(published):
        for hour in (0.0, 0.5):
            known = await at(store, day + hour)
            assert known
            assert (known.sequence, known.recommendations, known.phenotypes) == (
                event.sequence, event.recommendations, event.phenotypes,
            )  # fmt: skip
    assert await at(store, 99) == await report(store, release, "mercy", "p-1")


async def test_before_the_first_result_nothing_was_known(store: Store, recommender: Recommender) -> None:
    await day_by_day(store, recommender, assigned(POOR))
    assert await at(store, -0.5) is None


async def test_a_late_original_is_known_from_the_day_it_came(store: Store, recommender: Recommender) -> None:
    await day_by_day(store, recommender, assigned(NORMAL, version=2, status=Status.CORRECTED), assigned(POOR))
    first, second = await at(store, 0.5), await at(store, 1.5)
    assert first
    assert second
    assert first.recommendations == second.recommendations


async def test_another_release_says_what_it_would_have_said_in_the_first_place(
    store: Store, recommender: Recommender
) -> None:
    patient = json.loads(PANEL)["patient"]
    await recommender.handle([phenotyped(json.loads(PANEL), release("2025.11"))])
    later = await at(store, None, "2026.11", patient)
    await store.pool.execute("TRUNCATE patients, outbox CASCADE")
    await recommender.handle([phenotyped(json.loads(PANEL), release("2026.11"))])
    called = await report(store, release, "mercy", patient)
    assert later
    assert called
    assert to_json(later) == to_json(called)


async def test_a_release_for_all_tenants_was_not_that_of_one_with_its_own(
    store: Store, recommender: Recommender
) -> None:
    await activated(store, "2025.11", "mercy", finished=True)
    await Recommender(store, release, INTERPRET).handle([assigned(POOR)])
    await activated(store, "2026.11", finished=True)
    known = await report_at(store, release, "mercy", "p-1", Moment(datetime.now(UTC)), INTERPRET)
    assert known is not None
    assert known == await report(store, release, "mercy", "p-1", INTERPRET)
    assert known.knowledge is not None
    assert known.knowledge.release == "2025.11"


async def test_the_same_question_has_the_same_answer_byte_by_byte(store: Store, recommender: Recommender) -> None:
    await day_by_day(store, recommender, assigned(POOR))
    asked = [(0.5, None), (None, "2026.11"), (0.5, "2025.11")]
    before = [to_json(found) for day, knowledge in asked if (found := await at(store, day, knowledge))]
    await recommender.handle([assigned(NORMAL, version=2, status=Status.CORRECTED), assigned(NORMAL, patient="p-2")])
    again = [to_json(found) for day, knowledge in asked[::2] if (found := await at(store, day, knowledge))]
    assert len(before) == len(asked)
    assert again == [before[0], before[2].replace(b'"sequence":2', b'"sequence":1')]
