"""The results store under the recommender, on a real PostgreSQL: what is kept, what is published, what is read back."""

import asyncio
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

import orjson
import pytest

from knowledge.release import Release
from schemas.cloudevents import Event
from schemas.errors import Code
from schemas.lab_result import Status
from schemas.phenotype import PhenotypeAssigned
from schemas.serialise import to_json
from services.recommender.body import unpack
from services.recommender.dump import dump
from services.recommender.guidance import recommend
from services.recommender.handler import Recommender
from services.recommender.report import applied, events_since, report, tenants_of
from services.recommender.store import Store
from tests.services.recommender.builders import NO_CALL, assigned, release

pytestmark = pytest.mark.postgres

POOR = {"CYP2C19": "*2/*2"}
NORMAL = {"CYP2C19": "*1/*1"}


async def published(store: Store) -> list[dict[str, Any]]:
    """Values waiting in the outbox, in order."""
    return [orjson.loads(unpack(row["body"])) for row in await store.pool.fetch("SELECT body FROM outbox ORDER BY id")]


async def sequences(store: Store, patient: str = "p-1") -> list[int]:
    return [event["sequence"] for event in await published(store) if event["patient"] == patient]


async def dumped(store: Store, *, current_only: bool = False) -> list[bytes]:
    return [line async for line in dump(store, release, current_only=current_only)]


class TestAPatientsReport:
    async def test_equals_the_evaluation_of_its_only_result(self, store: Store, recommender: Recommender) -> None:
        event = assigned(POOR | {"CYP2D6": "*4/*4", "TPMT": NO_CALL})
        await recommender.handle([event])
        known = await report(store, release, "mercy", "p-1")
        assert known
        assert known.genotypes == event.data.genotype.genotypes
        assert known.phenotypes == event.data.phenotypes
        assert known.recommendations == recommend(
            release("2025.11"), event.data.genotype.genotypes, event.data.phenotypes
        )
        assert [(note.accession, note.status) for note in known.results] == [("ACC-1", "final")]

    async def test_is_nothing_for_a_stranger(self, store: Store) -> None:
        assert await report(store, release, "mercy", "p-1") is None

    async def test_of_one_tenant_shows_nothing_of_another(self, store: Store, recommender: Recommender) -> None:
        await recommender.handle([assigned(POOR, tenant="mercy"), assigned(NORMAL, tenant="grace")])
        both = [await report(store, release, tenant, "p-1") for tenant in ("mercy", "grace")]
        assert [one.genotypes[0].diplotypes[0].label for one in both if one] == ["*2/*2", "*1/*1"]
        assert await tenants_of(store, "p-1") == ("grace", "mercy")

    async def test_combines_laboratories(self, store: Store, recommender: Recommender) -> None:
        await recommender.handle([assigned(POOR, laboratory="acme")])
        await recommender.handle([assigned({"CYP2D6": "*4/*4"}, laboratory="other", day=30)])
        known = await report(store, release, "mercy", "p-1")
        assert known
        amitriptyline = [
            one.genes for one in known.recommendations if (one.drug, one.source) == ("amitriptyline", "CPIC")
        ]
        assert amitriptyline[0]["CYP2C19"] == "Poor Metabolizer"
        assert amitriptyline[0]["CYP2D6"] != "No Result"


class TestNoEffectTwice:
    async def test_a_redelivered_batch_has_no_effect(self, store: Store, recommender: Recommender) -> None:
        batch = [assigned(POOR), assigned(NORMAL, version=2, status=Status.CORRECTED)]
        await recommender.handle(batch)
        before = await dumped(store)
        await recommender.handle(batch)
        await recommender.handle([batch[1], *batch])
        assert await sequences(store) == [1, 2]
        assert await dumped(store) == before

    async def test_a_duplicate_within_a_batch_has_no_effect(self, store: Store, recommender: Recommender) -> None:
        await recommender.handle([assigned(POOR)] * 3)
        assert await sequences(store) == [1]

    async def test_the_same_content_under_another_event_id_changes_nothing(
        self, store: Store, recommender: Recommender
    ) -> None:
        await recommender.handle([assigned(POOR, event="first"), assigned(POOR, event="second")])
        await recommender.handle([assigned(POOR, event="third")])
        assert await sequences(store) == [1]
        assert [(one.sequence, one.duplicate) for one in await applied(store, "third")] == [(None, True)]

    async def test_two_laboratories_that_use_the_same_event_id_do_not_collide(
        self, store: Store, recommender: Recommender
    ) -> None:
        await recommender.handle([assigned(POOR, event="1", laboratory="acme")])
        await recommender.handle([assigned({"CYP2D6": "*4/*4"}, event="1", laboratory="other")])
        assert await sequences(store) == [1, 2]
        assert {one.laboratory for one in await applied(store, "1")} == {"acme", "other"}

    async def test_a_transaction_that_fails_leaves_nothing(self, store: Store, recommender: Recommender) -> None:
        await store.pool.execute("ALTER TABLE outbox ADD CONSTRAINT full_disk CHECK (false)")
        with pytest.raises(Exception, match="full_disk"):
            await recommender.handle([assigned(POOR)])
        assert await dumped(store) == []
        await store.pool.execute("ALTER TABLE outbox DROP CONSTRAINT full_disk")
        await recommender.handle([assigned(POOR)])
        assert await sequences(store) == [1]


class TestEvents:
    async def test_each_event_of_a_batch_publishes_its_own(self, store: Store, recommender: Recommender) -> None:
        await recommender.handle([
            assigned(POOR, patient="p-1"),
            assigned(POOR, patient="p-2"),
            assigned(NORMAL, patient="p-1", version=2, status=Status.CORRECTED),
            assigned(NORMAL, patient="p-1", version=3, status=Status.CANCELLED),
        ])  # fmt: skip
        assert await sequences(store, "p-1") == [1, 2, 3]
        assert await sequences(store, "p-2") == [1]

    async def test_an_input_that_changes_nothing_publishes_nothing_but_is_kept(
        self, store: Store, recommender: Recommender
    ) -> None:
        await recommender.handle([assigned(NORMAL, version=2, status=Status.CORRECTED), assigned(POOR, event="late")])
        assert await sequences(store) == [1]
        late = (await applied(store, "late"))[0]
        assert (late.sequence, late.duplicate, late.current) == (None, False, False)

    async def test_carry_the_trace_and_the_time_of_their_cause(self, store: Store, recommender: Recommender) -> None:
        event = assigned(POOR)
        await recommender.handle([event])
        headers = dict(orjson.loads(await store.pool.fetchval("SELECT headers FROM outbox")))
        assert headers["traceparent"] == event.traceparent
        assert headers["ce_time"] == event.time
        assert headers["ce_type"] == "pgx.recommendation.v1"

    async def test_are_rendered_again_from_facts_as_they_were_published(
        self, store: Store, recommender: Recommender
    ) -> None:
        inputs = [
            assigned(POOR, status=Status.PRELIMINARY),
            assigned(POOR),
            assigned({"CYP2D6": "*4/*4"}, laboratory="other", accession="B"),
            assigned(NORMAL, version=2, status=Status.CORRECTED),
            assigned(POOR, version=1, status=Status.AMENDED),
            assigned({"TPMT": "*1/*3A"}, accession="C", knowledge="2026.11"),
            assigned(NORMAL, version=3, status=Status.ENTERED_IN_ERROR),
        ]
        for event in inputs:
            await recommender.handle([event])
        bodies = [unpack(row["body"]) for row in await store.pool.fetch("SELECT body FROM outbox ORDER BY id")]
        assert [to_json(event) async for event in events_since(store, release, "mercy", "p-1")] == bodies
        later = [event.sequence async for event in events_since(store, release, "mercy", "p-1", 4)]
        assert later == [5, 6]


async def test_superseded_results_point_at_their_successors(store: Store, recommender: Recommender) -> None:
    await recommender.handle([assigned(POOR, version=2)])
    await recommender.handle([assigned(POOR, version=1), assigned(POOR, version=3), assigned(POOR, version=4)])
    rows = await store.pool.fetch("SELECT version, superseded_by FROM results ORDER BY ordinal")
    assert [tuple(row) for row in rows] == [(2, 3), (1, 1), (3, 4), (4, None)]


async def test_two_recommenders_at_once_on_one_patient_lose_nothing(store: Store) -> None:
    versions = [assigned(POOR if number % 2 else NORMAL, version=number) for number in range(1, 13)]
    halves = [versions[0::2], versions[1::2]]

    async def work(events: Sequence[Event[PhenotypeAssigned]]) -> None:
        one = Recommender(store, release)
        for event in events:
            await one.handle([event, assigned(POOR, patient=f"p-{event.data.genotype.result.version + 1}")])

    await asyncio.gather(*map(work, halves))
    events = [event for event in await published(store) if event["patient"] == "p-1"]
    assert [event["sequence"] for event in events] == list(range(1, len(events) + 1))
    assert await store.pool.fetchval("SELECT inputs FROM patients WHERE pseudonym = 'p-1'") == 12
    known = await report(store, release, "mercy", "p-1")
    assert known
    assert [note.version for note in known.results] == [12]
    assert events[-1]["recommendations"] == orjson.loads(to_json(known))["recommendations"]


async def test_as_many_batches_at_once_as_there_are_connections_do_not_starve_one_another(store: Store) -> None:
    genes = (POOR, NORMAL, {"CYP2D6": "*4/*4"}, {"TPMT": "*1/*3A"}, {"CYP2C19": "*1/*17"}, {"CYP2D6": "*1/*4"})
    batches = [[assigned(calls, patient=f"p-{number}")] for number, calls in enumerate(genes)]
    async with asyncio.timeout(30):
        await asyncio.gather(*(Recommender(store, release).handle(batch) for batch in batches))
    assert {(await report(store, release, "mercy", f"p-{number}")) is not None for number in range(6)} == {True}


class TestAPoisonEvent:
    async def test_stops_no_other_patient(self, store: Store) -> None:
        def releases(release_id: str) -> Release:
            if release_id == "2026.11":
                raise ZeroDivisionError("a value that must not be logged")
            return release(release_id)

        poison = assigned(POOR, patient="p-1", knowledge="2026.11")
        batch = [assigned(POOR, patient="p-0"), poison, assigned(POOR, patient="p-2")]
        failures = await Recommender(store, releases).handle(batch)
        assert [failure.event for failure in failures] == [poison]
        assert failures[0].reason.code is Code.INTERNAL_ERROR
        assert "must not be logged" not in str(failures[0].reason)
        assert [await report(store, release, "mercy", f"p-{n}") is not None for n in range(3)] == [True, False, True]

    async def test_has_its_effect_when_it_comes_again_after_the_fix(self, store: Store) -> None:
        def broken(release_id: str) -> Release:
            raise ZeroDivisionError

        event = assigned(POOR)
        assert len(await Recommender(store, broken).handle([event])) == 1
        assert await Recommender(store, release).handle([event]) == ()
        assert await sequences(store) == [1]

    @pytest.mark.parametrize(
        ("field", "value"),
        [("version", 2**70), ("accession", "A\0B"), ("laboratory", "x" * 5000), ("issued", datetime(2026, 1, 1)),
         ("event_id", "\0"), ("sha256", "short"), ("version", 0)],
    )  # fmt: skip
    async def test_that_could_not_be_stored_is_refused_by_its_field(
        self, recommender: Recommender, field: str, value: object
    ) -> None:
        good, event = assigned(POOR, patient="p-0"), assigned(POOR)
        result = event.data.genotype.result.model_copy(update={field: value})
        genotype = event.data.genotype.model_copy(update={"result": result})
        forged = replace(event, data=event.data.model_copy(update={"genotype": genotype}))
        failures = await recommender.handle([forged, good])
        assert [(one.reason.code, one.reason.path) for one in failures] == [
            (Code.INVALID_FIELD, f"genotype.result.{field}")
        ]

    async def test_a_version_may_be_as_large_as_laboratories_count(
        self, store: Store, recommender: Recommender
    ) -> None:
        assert await recommender.handle([assigned(POOR, version=2**53 - 1)]) == ()

    async def test_of_an_unknown_release_says_so(self, store: Store) -> None:
        def none(release_id: str) -> Release:
            raise KeyError(release_id)

        failures = await Recommender(store, none).handle([assigned(POOR)])
        assert [failure.reason.code for failure in failures] == [Code.UNKNOWN_RELEASE]


class TestDump:
    INPUTS: tuple[tuple[str, dict[str, str], dict[str, Any]], ...] = (
        ("p-2", POOR, {"status": Status.PRELIMINARY}),
        ("p-1", NORMAL, {"version": 2, "status": Status.CORRECTED}),
        ("p-1", POOR, {}),
        ("p-2", POOR, {}),
        ("p-1", {"CYP2D6": "*4/*4"}, {"laboratory": "other"}),
        ("p-3", POOR, {"status": Status.CANCELLED}),
    )

    def events(self) -> list[Event[PhenotypeAssigned]]:
        return [assigned(calls, patient=patient, **options) for patient, calls, options in self.INPUTS]

    async def filled(self, store: Store, batches: Sequence[Sequence[Event[PhenotypeAssigned]]]) -> None:
        await store.pool.execute("TRUNCATE patients, results, inbox, history, outbox, rules CASCADE")
        for batch in batches:
            await Recommender(Store(store.pool), release).handle(batch)

    async def test_is_the_same_for_any_batching_and_redelivery(self, store: Store) -> None:
        events = self.events()
        await self.filled(store, [events])
        at_once = await dumped(store)
        await self.filled(store, [[event] for event in events] + [events[2:4], events])
        assert await dumped(store) == at_once

    async def test_of_what_is_current_is_the_same_for_any_order(self, store: Store) -> None:
        events = self.events()
        await self.filled(store, [events])
        forwards = await dumped(store, current_only=True)
        await self.filled(store, [events[::-1]])
        assert await dumped(store, current_only=True) == forwards

    async def test_comes_in_key_order_and_says_what_succeeded_what(self, store: Store) -> None:
        await self.filled(store, [self.events()])
        lines = [orjson.loads(line) for line in await dumped(store)]
        assert [line["patient"] for line in lines] == sorted(line["patient"] for line in lines)
        original = next(line for line in lines if line["record"] == "result" and line["superseded_by"])
        assert original["superseded_by"]["version"] == 2
        assert [line["sequence"] for line in lines if line["record"] == "event" and line["patient"] == "p-1"] == [1, 2]

    async def test_holds_no_texts_in_what_is_stored(self, store: Store, recommender: Recommender) -> None:
        await recommender.handle(self.events())
        lines = [orjson.loads(line) for line in await dumped(store)]
        events = [line for line in lines if line["record"] == "event"]
        assert {rule.split(":")[0] for rule in events[0]["issued"]} == {"CPIC", "DPWG"}
        assert events[0]["withdrawn"] == []
        assert events[0]["keys"]["CYP2C19"] == ["Normal Metabolizer"]
