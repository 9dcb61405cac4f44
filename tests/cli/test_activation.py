"""``pgx setup`` and ``pgx knowledge activate`` on a real broker and database: what operators type."""

import asyncio
import json
import signal
import subprocess
from collections.abc import AsyncIterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest

from cli.activation import reference
from cli.interpretation import Interpreter
from cli.setup import set_up
from knowledge import site
from knowledge.loader import Releases
from knowledge.model import Allele
from knowledge.release import Release
from knowledge.writer import write
from runtime.settings import Settings
from schemas.knowledge import EVERYONE, ReleaseActivated
from services.genotyper.activation import active, announce
from services.recommender.handler import Recommender
from services.recommender.interpretation import as_delivered
from services.recommender.report import report
from services.recommender.store import Store
from services.recommender.store.activations import activations, add
from tests.cli.commands import PGX, surroundings
from tests.support.kafka import Broker
from tests.support.results import lab_result, phenotyped

pytestmark = pytest.mark.postgres

OLD, NEW = "2025.11", "2026.11"
RELEASES = Releases()
NORMAL = {"TPMT": "*1/*1", "NUDT15": "*1/*1"}
DEADLINE_SECONDS = 90.0


@pytest.fixture
def deployed(broker: Broker, database_url: str) -> Settings:
    return broker.settings(database_url=database_url, knowledge_release=OLD)


@pytest.fixture
async def store(deployed: Settings) -> AsyncIterator[Store]:
    await set_up(deployed, lambda done: None)
    async with await Store.open(deployed) as opened:
        yield opened


def environment(deployed: Settings, broker: Broker, **more: str) -> dict[str, str]:
    own = {"database_url": deployed.database_url, "topic_prefix": deployed.topic_prefix, **more}
    return surroundings(**own) | broker.environment


def run(deployed: Settings, broker: Broker, *arguments: str, **more: str) -> "subprocess.CompletedProcess[bytes]":
    return subprocess.run(
        [*PGX, "knowledge", "activate", *arguments],
        env=environment(deployed, broker, **more), capture_output=True, timeout=DEADLINE_SECONDS,
    )  # fmt: skip


async def stored(store: Store, patients: Sequence[str], calls: Mapping[str, str] = NORMAL) -> None:
    release = RELEASES.load(OLD)
    events = [phenotyped(lab_result(calls, release, patient=one), release) for one in patients]
    assert await Recommender(store, RELEASES.load, Interpreter(RELEASES.load)).handle(events) == ()


async def governed(store: Store) -> dict[str, int]:
    query = "SELECT release, count(*) AS patients FROM patients JOIN activations ON number = activation GROUP BY 1"
    return {row["release"]: row["patients"] for row in await store.pool.fetch(query)}


async def test_the_first_setup_activates_a_release_and_later_ones_change_nothing(
    deployed: Settings, store: Store
) -> None:
    told: list[str] = []
    await set_up(deployed.model_copy(update={"knowledge_release": NEW}), told.append)
    assert told == ["all is set up"]
    made = (await activations(store.pool, as_delivered)).made
    assert [(one.tenant, one.knowledge.release, one.finished is not None) for one in made] == [(None, OLD, True)]
    assert (await active(deployed))[EVERYONE].release == OLD


async def test_a_setup_takes_over_what_was_activated_on_the_bus(deployed: Settings, store: Store) -> None:
    await store.pool.execute("TRUNCATE activations CASCADE")
    newer = RELEASES.load(NEW)
    await announce(deployed, ReleaseActivated(tenant="grace", release=newer.id, sha256=newer.sha256), "by-hand")
    await set_up(deployed, lambda done: None)
    made = (await activations(store.pool, as_delivered)).made
    assert {(one.tenant, one.knowledge.release) for one in made} == {(None, OLD), ("grace", NEW)}


async def test_a_setup_puts_right_what_the_bus_was_not_told(deployed: Settings, store: Store, broker: Broker) -> None:
    for arguments in ((NEW,), (NEW, "--tenant", "mercy")):
        assert (await asyncio.to_thread(run, deployed, broker, *arguments)).returncode == 0
    older = reference(RELEASES.load(OLD))
    async with store.pool.acquire() as connection, connection.transaction():  # and then the broker was gone
        await add(connection, None, older)
        await add(connection, "mercy", older, follows=True)
    told: list[str] = []
    await set_up(deployed, told.append)
    assert f"knowledge release {OLD} activated for all tenants" in told
    assert {tenant: one.release for tenant, one in (await active(deployed)).items()} == {EVERYONE: OLD}
    told.clear()
    await set_up(deployed, told.append)
    assert told == ["all is set up"]


async def test_a_tenant_that_gives_its_own_choice_up_follows_that_for_all_on_the_bus_and_for_its_patients(
    deployed: Settings, store: Store, broker: Broker
) -> None:
    await stored(store, ["p-1", "p-2"])
    assert (await asyncio.to_thread(run, deployed, broker, NEW, "--tenant", "mercy")).returncode == 0
    assert {tenant: one.release for tenant, one in (await active(deployed)).items()} == {EVERYONE: OLD, "mercy": NEW}
    async with store.pool.acquire() as connection, connection.transaction():  # and was killed right after
        await add(connection, "mercy", reference(RELEASES.load(OLD)), follows=True)
    done = await asyncio.to_thread(run, deployed, broker, "--follow", "--tenant", "mercy", "--json")
    assert done.returncode == 0, done.stderr.decode()
    assert json.loads(done.stdout)["changed"] == 2
    assert len((await activations(store.pool, as_delivered)).made) == 3
    assert {tenant: one.release for tenant, one in (await active(deployed)).items()} == {EVERYONE: OLD}
    later = await asyncio.to_thread(run, deployed, broker, NEW, "--json")
    assert json.loads(later.stdout)["patients"] == 2
    assert await governed(store) == {NEW: 2}


async def test_a_dry_run_says_what_would_change_and_changes_nothing(
    deployed: Settings, store: Store, broker: Broker
) -> None:
    await stored(store, ["p-1", "p-2"])
    done = await asyncio.to_thread(run, deployed, broker, NEW, "--dry-run", "--tenant", "mercy", "--json")
    assert done.returncode == 0, done.stderr.decode()
    found = json.loads(done.stdout)
    assert (found["patients"], found["affected"]) == (2, 2)
    assert {"TPMT", "NUDT15"} <= found["genes"].keys()
    assert {"azathioprine", "mercaptopurine"} <= found["drugs"].keys()
    assert found["changes"][0]["examples"] == ["p-1", "p-2"]
    assert await governed(store) == {OLD: 2}
    assert (await active(deployed))[EVERYONE].release == OLD


async def test_an_activation_reaches_bus_and_patients_and_the_former_release_takes_it_back(
    deployed: Settings, store: Store, broker: Broker
) -> None:
    await stored(store, [f"p-{number}" for number in range(5)])
    done = await asyncio.to_thread(run, deployed, broker, NEW, "--json", "--processes", "2")
    assert done.returncode == 0, done.stderr.decode()
    summary = json.loads(done.stdout)
    assert (summary["patients"], summary["changed"], summary["finished"]) == (5, 5, True)
    assert (await active(deployed))[EVERYONE].release == NEW
    assert await governed(store) == {NEW: 5}
    back = await asyncio.to_thread(run, deployed, broker, OLD)
    assert back.returncode == 0, back.stderr.decode()
    assert b"the advice of 5 changed" in back.stdout
    assert await governed(store) == {OLD: 5}


async def test_a_killed_activation_goes_on_where_it_stopped(deployed: Settings, store: Store, broker: Broker) -> None:
    patients = [f"p-{number:03}" for number in range(150)]
    await stored(store, patients)
    command = [*PGX, "knowledge", "activate", NEW, "--rate", "20"]
    process = await asyncio.create_subprocess_exec(
        *command, env=environment(deployed, broker), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    async with asyncio.timeout(DEADLINE_SECONDS):
        while not (await governed(store)).get(NEW):
            assert process.returncode is None
            await asyncio.sleep(0.02)
    process.send_signal(signal.SIGKILL)
    await process.wait()
    done_before = (await governed(store))[NEW]
    assert done_before < len(patients)
    rest = await asyncio.to_thread(run, deployed, broker, NEW, "--json")
    assert rest.returncode == 0, rest.stderr.decode()
    assert json.loads(rest.stdout)["patients"] == len(patients) - done_before
    rows = await store.pool.fetch(
        "SELECT patient_id, count(*) AS events FROM history WHERE release = $1 GROUP BY 1", NEW
    )
    assert [row["events"] for row in rows] == [1] * len(patients)
    assert len((await activations(store.pool, as_delivered)).made) == 2


async def test_a_release_that_is_not_installed_is_not_activated(deployed: Settings, broker: Broker) -> None:
    done = await asyncio.to_thread(run, deployed, broker, "1999.01")
    assert done.returncode == 3
    assert b"no knowledge release '1999.01'" in done.stderr


class TestAnAlleleThatASiteDefines:
    """Two variants that no allele of the release explains together become an allele of their own."""

    NAME = "*99"

    def release(self) -> Release:
        base = RELEASES.load(OLD)
        gene = base.genes["TPMT"]
        first, second = (self.variant(gene.definition.alleles, name) for name in ("*8", "*16"))
        added = Allele(name=self.NAME, calls=first | second, function="No function")
        alleles = (gene.definition.alleles[0], added, *gene.definition.alleles[1:])
        changed = gene.model_copy(update={"definition": gene.definition.model_copy(update={"alleles": alleles})})
        about = site.manifest(base, "2025.11-site", "2025-12-01", "An allele of the site's own.", "the site")
        return site.overlay(base, about, genes=[changed])

    def variant(self, alleles: Sequence[Allele], name: str) -> dict[int, tuple[str, ...]]:
        return next(allele.calls for allele in alleles if allele.name == name)

    async def test_is_called_from_observations_that_were_stored_before(
        self, deployed: Settings, store: Store, broker: Broker, tmp_path: Path
    ) -> None:
        made = self.release()
        write(made, tmp_path)
        releases = Releases(None, tmp_path)
        content = lab_result({"TPMT": f"{self.NAME}/{self.NAME}"}, made)
        recommender = Recommender(store, releases.load, Interpreter(releases.load))
        await recommender.handle([phenotyped(content, releases.load(OLD))])
        before = await self.tpmt(store, releases)
        assert (before["status"], before["reason"]) == ("no-call", "no-match")
        done = await asyncio.to_thread(run, deployed, broker, made.id, knowledge_folder=str(tmp_path))
        assert done.returncode == 0, done.stderr.decode()
        assert b"the advice of 1 changed" in done.stdout
        after = await self.tpmt(store, releases)
        assert [one["label"] for one in after["diplotypes"]] == [f"{self.NAME}/{self.NAME}"]

    async def tpmt(self, store: Store, releases: Releases) -> dict[str, Any]:
        known = await report(store, releases.load, "mercy", "p-1", Interpreter(releases.load))
        assert known is not None
        return next(call.model_dump() for call in known.genotypes if call.gene == "TPMT")
