"""Activating a release on stored patients: who comes under it, what is published, what is left as it was."""

from datetime import UTC, datetime
from typing import Any

import orjson
import pytest

from cli.interpretation import Interpreter
from knowledge.release import Release
from runtime.settings import Settings
from schemas.cloudevents import Event
from schemas.finding import FindingKind
from schemas.genotype import KnowledgeRef
from schemas.phenotype import PhenotypeAssigned
from schemas.serialise import to_json
from services.recommender.body import unpack
from services.recommender.changes import compare
from services.recommender.discordance import Policy
from services.recommender.erasure import erase
from services.recommender.handler import Recommender
from services.recommender.interpretation import as_delivered
from services.recommender.migrations import migrate
from services.recommender.patient import KNOWLEDGE_RELEASE
from services.recommender.reinterpretation import Progress, Reinterpreter
from services.recommender.report import Report, events_since, report
from services.recommender.store import Store
from services.recommender.store.activations import activations, add
from services.recommender.store.behind import Scope
from services.recommender.store.policies import InUse, set_policy
from tests.services.recommender.activating import (
    INTERPRETER,
    NEW,
    NORMAL,
    OLD,
    activated,
    assigned,
    published,
    said,
    swept,
)
from tests.services.recommender.builders import release

pytestmark = pytest.mark.postgres


@pytest.fixture
def recommender(store: Store) -> Recommender:
    return Recommender(store, release, INTERPRETER)


class TestAPatientWhoseAdviceChanges:
    async def test_is_told_with_the_activation_as_the_cause(self, store: Store, recommender: Recommender) -> None:
        await activated(store, OLD)
        await recommender.handle([assigned(NORMAL)])
        progress = await activated(store, NEW)
        assert (progress.examined, progress.published) == (1, 1)
        event = (await published(store))[-1]
        made = await activations(store.pool, as_delivered)
        assert event["sequence"] == 2
        assert event["cause"]["type"] == KNOWLEDGE_RELEASE
        assert event["cause"]["id"] == made.made[-1].id
        assert event["knowledge"]["release"] == NEW
        changed = {(one["change"], one["after"]["drug"]) for one in event["changes"] if one["after"]}
        assert ("changed", "azathioprine") in changed
        assert all("knowledge release was 2025.11, is 2026.11" in one["reason"] for one in event["changes"])

    async def test_is_told_once_however_often_the_release_is_activated(
        self, store: Store, recommender: Recommender
    ) -> None:
        await activated(store, OLD)
        await recommender.handle([assigned(NORMAL)])
        await activated(store, NEW)
        again = await swept(store)
        assert again.examined == 0
        assert [one["sequence"] for one in await published(store)] == [1, 2]

    async def test_can_be_told_again_from_history_byte_for_byte(self, store: Store, recommender: Recommender) -> None:
        await activated(store, OLD)
        await recommender.handle([assigned(NORMAL | {"TPMT": "*1/*6"})])
        await activated(store, NEW)
        await recommender.handle([assigned(NORMAL, version=2, knowledge=NEW)])
        await activated(store, OLD)
        bodies = [unpack(row["body"]) for row in await store.pool.fetch("SELECT body FROM outbox ORDER BY id")]
        rendered = [to_json(one) async for one in events_since(store, release, "mercy", "p-1", 0, INTERPRETER)]
        assert len(bodies) == 4
        assert rendered == bodies


class TestAPatientWhoseAdviceStays:
    async def test_comes_under_the_release_and_is_told_nothing(self, store: Store, recommender: Recommender) -> None:
        await activated(store, OLD)
        await recommender.handle([assigned({"VKORC1": "rs9923231 reference (C)/rs9923231 reference (C)"})])
        progress = await activated(store, NEW)
        assert (progress.examined, progress.recomputed, progress.published) == (1, 0, 0)
        known = await report(store, release, "mercy", "p-1", INTERPRETER)
        assert known is not None
        assert known.knowledge is not None
        assert (known.knowledge.release, known.sequence) == (NEW, 1)
        assert "F5" in {call.gene for call in known.genotypes}


async def test_a_tenant_s_own_release_is_not_touched_by_that_of_all(store: Store, recommender: Recommender) -> None:
    await activated(store, OLD)
    await activated(store, OLD, "mercy")
    await recommender.handle([assigned(NORMAL, tenant="mercy"), assigned(NORMAL, tenant="grace")])
    await activated(store, NEW)
    known = [await report(store, release, tenant, "p-1", INTERPRETER) for tenant in ("mercy", "grace")]
    assert [one.knowledge.release for one in known if one and one.knowledge] == [OLD, NEW]


class TestResultsThatAPolicyBlocks:
    NORTH = {"TPMT": "*1/*1", "NUDT15": "*1/*1", "CYP2C19": "*2/*2"}  # noqa: RUF012
    SOUTH = NORTH | {"TPMT": "*1/*3A"}

    @pytest.fixture(autouse=True)
    async def blocked(self, store: Store, recommender: Recommender) -> None:
        async with store.pool.acquire() as connection:
            await set_policy(connection, "mercy", Policy.BLOCK)
        await activated(store, OLD)
        await recommender.handle([self.of("north", self.NORTH), self.of("south", self.SOUTH)])

    def of(self, laboratory: str, calls: dict[str, str], **about: Any) -> Event[PhenotypeAssigned]:
        return assigned(calls, laboratory=laboratory, accession=laboratory, **about)

    async def known(self, store: Store) -> Report:
        found = await report(store, release, "mercy", "p-1", INTERPRETER)
        assert found is not None
        return found

    async def test_stay_blocked_under_another_release_which_changes_other_advice(self, store: Store) -> None:
        before = await self.known(store)
        progress = await activated(store, NEW)
        after = await self.known(store)
        for one in (before, after):
            assert [call.reason for call in one.genotypes if call.gene == "TPMT"] == ["discordant-results"]
            assert not [advice for advice in one.recommendations if "Metabolizer" in advice.genes.get("TPMT", "")]
            assert [finding.gene for finding in one.findings if finding.kind is FindingKind.DISCORDANCE] == ["TPMT"]
        assert progress.published == (compare(before.recommendations, after.recommendations, "") != ())
        bodies = [unpack(row["body"]) for row in await store.pool.fetch("SELECT body FROM outbox ORDER BY id")]
        assert [to_json(one) async for one in events_since(store, release, "mercy", "p-1", 0, INTERPRETER)] == bodies

    async def test_speak_under_the_new_release_once_the_laboratories_have_settled_it(
        self, store: Store, recommender: Recommender
    ) -> None:
        await activated(store, NEW)
        await recommender.handle([self.of("north", self.NORTH, version=2, status="entered-in-error")])
        assert [one.phenotype for one in (await self.known(store)).phenotypes if one.gene == "TPMT"] == [
            "Intermediate Metabolizer"
        ]

    async def test_stay_so_until_the_tenant_has_no_patients_left(self, store: Store, recommender: Recommender) -> None:
        async with store.pool.acquire() as connection:
            await set_policy(connection, "mercy", Policy.BLOCK)
            with pytest.raises(InUse):
                await set_policy(connection, "mercy", Policy.NEWEST)
        await erase(store, "mercy", "p-1", datetime(2026, 1, 1, tzinfo=UTC))
        async with store.pool.acquire() as connection:
            await set_policy(connection, "mercy", Policy.NEWEST)
        await recommender.handle([self.of("north", self.NORTH), self.of("south", self.SOUTH)])
        assert "TPMT" in {one.gene for one in (await self.known(store)).phenotypes}


class TestATenantThatGivesItsOwnChoiceUp:
    async def test_is_told_what_changes_once_and_follows_later_choices_for_all(
        self, store: Store, recommender: Recommender
    ) -> None:
        await activated(store, NEW)
        await activated(store, OLD, "mercy")
        await recommender.handle([assigned(NORMAL, tenant="mercy"), assigned(NORMAL, tenant="grace", knowledge=NEW)])
        followed = await activated(store, NEW, "mercy", follows=True)
        assert (followed.examined, followed.published) == (1, 1)
        assert (await swept(store, "mercy")).examined == 0
        assert (await activated(store, OLD)).examined == 2
        told = [one for one in await published(store) if one["tenant"] == "mercy"]
        assert [(one["sequence"], one["knowledge"]["release"]) for one in told] == [(1, OLD), (2, NEW), (3, OLD)]
        again = [
            orjson.loads(to_json(one)) async for one in events_since(store, release, "mercy", "p-1", 0, INTERPRETER)
        ]
        assert again == told

    async def test_takes_results_in_under_the_choice_for_all_from_then_on(
        self, store: Store, recommender: Recommender
    ) -> None:
        await activated(store, NEW)
        await activated(store, OLD, "mercy")
        await activated(store, NEW, "mercy", follows=True)
        await recommender.handle([assigned(NORMAL, tenant="mercy", knowledge=OLD)])
        known = await report(store, release, "mercy", "p-1", INTERPRETER)
        assert known is not None
        assert known.knowledge is not None
        assert known.knowledge.release == NEW


class TestLiveResultsBesideAnActivation:
    async def test_a_result_in_flight_under_the_former_release_is_read_under_the_one_that_governs(
        self, store: Store, recommender: Recommender
    ) -> None:
        await activated(store, OLD)
        await activated(store, NEW)
        await recommender.handle([assigned({"TPMT": "*1/*6"}, knowledge=OLD)])
        known = await report(store, release, "mercy", "p-1", INTERPRETER)
        assert known is not None
        assert known.knowledge is not None
        assert known.knowledge.release == NEW
        assert [one.phenotype for one in known.phenotypes if one.gene == "TPMT"] == ["Intermediate Metabolizer"]

    async def test_makes_its_patient_new_at_once_and_the_activation_has_nothing_left_to_do(
        self, store: Store, recommender: Recommender
    ) -> None:
        await activated(store, OLD)
        await recommender.handle([assigned(NORMAL)])
        known = release(NEW)
        async with store.pool.acquire() as connection, connection.transaction():
            await add(connection, None, KnowledgeRef(release=known.id, sha256=known.sha256))
        await recommender.handle([said(medications=[{"name": "azathioprine", "status": "started"}])])
        assert (await published(store))[-1]["knowledge"]["release"] == NEW
        assert (await swept(store)).examined == 0

    async def test_a_patient_that_changes_while_it_is_evaluated_is_left_to_the_live_event(
        self, store: Store, recommender: Recommender, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        await activated(store, OLD)
        await recommender.handle([assigned(NORMAL)])
        evaluated = Reinterpreter._evaluated

        async def overtaken(self: Reinterpreter, behind: Any, progress: Progress) -> Any:
            found = await evaluated(self, behind, progress)
            await recommender.handle([said(weight_kg=70.0)])
            return found

        monkeypatch.setattr(Reinterpreter, "_evaluated", overtaken)
        progress = await activated(store, NEW)
        assert (progress.examined, progress.published) == (0, 0)
        assert [one["sequence"] for one in await published(store)] == [1, 2]

    async def test_a_live_event_takes_the_waiting_events_of_its_patient_along(
        self, store: Store, recommender: Recommender
    ) -> None:
        await activated(store, OLD)
        await recommender.handle([assigned(NORMAL), assigned(NORMAL, patient="p-2")])
        await activated(store, NEW)
        await recommender.handle([said(weight_kg=70.0, medications=[{"name": "warfarin", "status": "started"}])])
        rows = await store.pool.fetch("SELECT key, background FROM outbox ORDER BY id")
        assert [row["background"] for row in rows if row["key"] == "mercy/p-1"] == [False, False, False]
        assert [row["background"] for row in rows if row["key"] == "mercy/p-2"] == [False, True]


async def test_a_patient_that_cannot_be_evaluated_is_named_and_stays_where_it_was(
    store: Store, recommender: Recommender, monkeypatch: pytest.MonkeyPatch
) -> None:
    await activated(store, OLD)
    await recommender.handle([assigned(NORMAL), assigned(NORMAL, patient="p-2")])

    def broken(self: Any, delivery: Any, knowledge: Any) -> Any:
        if delivery.phenotypes and delivery.result.event_id == assigned(NORMAL).data.genotype.result.event_id:
            raise ValueError("a defect")
        return delivery

    monkeypatch.setattr(Interpreter, "__call__", broken)
    progress = await activated(store, NEW, everyone=True)
    assert progress.failed == ["mercy/p-1"]
    assert progress.examined == 1


async def test_another_process_goes_on_where_one_was_killed(database_url: str) -> None:
    ours = Settings.load(database_url=database_url)
    await migrate(ours)
    async with await Store.open(ours) as store:
        recommender = Recommender(store, release, INTERPRETER)
        await activated(store, OLD)
        await recommender.handle([assigned(NORMAL, patient=f"p-{number}") for number in range(120)])
        known: Release = release(NEW)
        async with store.pool.acquire() as connection, connection.transaction():
            await add(connection, None, KnowledgeRef(release=known.id, sha256=known.sha256))
        made = await activations(store.pool, INTERPRETER)
        governing = made.of(2)
        assert governing is not None
        progress = Progress()
        async for evaluated in Reinterpreter(store, release, INTERPRETER, governing, made).run(Scope(None), progress):
            if evaluated:
                break
        assert 0 < progress.published < 120
        rest = await swept(store)
        assert progress.examined + rest.examined == 120
        sequences = await store.pool.fetch("SELECT sequence FROM history WHERE release = $1", NEW)
        assert [row["sequence"] for row in sequences] == [2] * 120
