"""Commands for the years after the result, as processes: what they write, how they end, what they say when they cannot.

They share one store and broker: who changes a patient has one of its own.
"""

import asyncio
import json
import subprocess
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from cli.embedded.postgres import Postgres
from cli.interpretation import Interpreter
from cli.setup import set_up
from knowledge.loader import Releases
from runtime.settings import Settings
from services.recommender.handler import Recommender
from services.recommender.store import Store
from tests.cli.commands import PGX, surroundings
from tests.support.kafka import Broker
from tests.support.postgres import execute
from tests.support.results import lab_result, phenotyped

pytestmark = [pytest.mark.postgres, pytest.mark.xdist_group("lifecycle-commands")]

OLD, NEW = "2025.11", "2026.11"
RELEASES = Releases()
CALLS = {"TPMT": "*1/*1", "NUDT15": "*1/*1", "CYP2C19": "*2/*2"}
GENETIC = ("*2", "CYP2C19", "Metabolizer", "TPMT")
DATABASE = "lifecycle_commands"


@dataclass
class Hospital:
    """A store with patients in it, and the commands against it."""

    settings: Settings
    environment: dict[str, str]

    def pgx(self, *arguments: str) -> "subprocess.CompletedProcess[str]":
        """Run a command. What it says to people names no genotype, whatever becomes of it."""
        done = subprocess.run([*PGX, *arguments], env=self.environment, capture_output=True, text=True, timeout=100)
        assert not [word for word in GENETIC if word in done.stderr]
        assert "Traceback" not in done.stderr
        return done

    def ends(self, status: int, *arguments: str) -> str:
        """Run a command that must end with the status; what it wrote where it is 0, else what it said."""
        done = self.pgx(*arguments)
        assert done.returncode == status, done.stderr
        assert done.stdout == "" or status == 0
        return done.stderr if status else done.stdout

    def waiting(self, tenant: str) -> list[tuple[str, bool]]:
        """The keys of what waits to be published about a tenant's patients, and whether it is a tombstone."""

        async def fetch() -> list[tuple[str, bool]]:
            async with await Store.open(self.settings) as store:
                query = "SELECT key, body IS NULL AS tombstone FROM outbox WHERE key LIKE $1 ORDER BY id"
                rows = await store.pool.fetch(query, f"{tenant}/%")
            return [(row["key"], row["tombstone"]) for row in rows]

        return asyncio.run(fetch())


@pytest.fixture(scope="module")
def hospital(broker_of: Callable[[str], Broker], postgres_server: Postgres) -> Iterator[Hospital]:
    broker = broker_of("embedded")
    asyncio.run(execute(postgres_server.dsn, f'CREATE DATABASE "{DATABASE}" TEMPLATE template0'))
    settings = broker.settings(database_url=postgres_server.database(DATABASE), knowledge_release=OLD)
    environment = surroundings(database_url=settings.database_url, topic_prefix=settings.topic_prefix)
    asyncio.run(filled(settings))
    yield Hospital(settings, environment | broker.environment)
    asyncio.run(execute(postgres_server.dsn, f'DROP DATABASE "{DATABASE}" WITH (FORCE)'))


async def filled(settings: Settings) -> None:
    old = RELEASES.load(OLD)
    patients = [("mercy", f"m-{number}") for number in range(7)] + [("grace", "m-0"), ("grace", "g-1"), ("gone", "e-1")]
    patients += [("own", f"o-{number}") for number in range(3)]
    results = [lab_result(CALLS, old, tenant=tenant, patient=patient) for tenant, patient in patients]
    await set_up(settings, lambda done: None)
    async with await Store.open(settings) as store:
        recommender = Recommender(store, RELEASES.load, Interpreter(RELEASES.load))
        assert await recommender.handle([phenotyped(one, old) for one in results]) == ()


class TestErasure:
    def test_says_whom_and_what_is_left_is_a_tombstone(self, hospital: Hospital) -> None:
        assert hospital.ends(0, "patient", "erase", "e-1", "--tenant", "gone") == "erased: gone/e-1\n"
        assert hospital.waiting("gone") == [("gone/e-1", True)]
        assert "nothing is known of patient e-1" in hospital.ends(3, "patient", "export", "e-1")

    def test_of_a_stranger_counts_but_is_told(self, hospital: Hospital) -> None:
        said = hospital.ends(3, "patient", "erase", "nobody", "--tenant", "mercy")
        assert "nothing was known of patient nobody of mercy" in said
        assert "The erasure is remembered" in said

    def test_needs_a_tenant(self, hospital: Hospital) -> None:
        assert "--tenant" in hospital.ends(2, "patient", "erase", "m-1")

    def test_at_what_is_no_moment_that_was_is_refused(self, hospital: Hospital) -> None:
        erase = ("patient", "erase", "m-1", "--tenant", "mercy", "--at")
        tomorrow = (datetime.now(UTC) + timedelta(days=1)).isoformat()
        assert "with a time zone" in hospital.ends(2, *erase, "2026-11-23")
        assert "still to come" in hospital.ends(2, *erase, tomorrow)
        assert hospital.pgx("report", "m-1").returncode == 0


class TestExport:
    def test_is_one_object_with_all_that_is_held(self, hospital: Hospital) -> None:
        held = json.loads(hospital.ends(0, "patient", "export", "m-1"))
        assert (held["tenant"], held["patient"], held["report"]["sequence"]) == ("mercy", "m-1", 1)
        assert [event["sequence"] for event in held["events"]] == [1]
        assert {table: len(rows) for table, rows in held["tables"].items()} == {
            "patients": 1, "results": 1, "statements": 0, "inbox": 1, "history": 1,
        }  # fmt: skip

    def test_needs_a_tenant_where_several_have_the_patient(self, hospital: Hospital) -> None:
        said = hospital.ends(2, "patient", "export", "m-0")
        assert "grace, mercy" in said
        assert "--tenant" in said
        assert json.loads(hospital.ends(0, "patient", "export", "m-0", "--tenant", "grace"))["tenant"] == "grace"


class TestThePolicy:
    def test_is_chosen_before_the_first_result(self, hospital: Hospital) -> None:
        assert hospital.ends(0, "store", "policy", "block", "--tenant", "new") == "new: block\n"
        assert hospital.ends(0, "store", "policy", "newest", "--tenant", "new") == "new: newest\n"

    def test_is_not_changed_under_patients(self, hospital: Hospital) -> None:
        assert "mercy has patients already" in hospital.ends(1, "store", "policy", "block", "--tenant", "mercy")
        assert "before the first result" in hospital.ends(1, "store", "policy", "block")

    def test_is_one_of_two(self, hospital: Hospital) -> None:
        assert "newest or block" in hospital.ends(2, "store", "policy", "sometimes")


class TestReport:
    def test_as_of_a_moment_is_the_same_each_time(self, hospital: Hospital) -> None:
        now = datetime.now(UTC).isoformat()
        once, again = (hospital.ends(0, "report", "m-1", "--as-of", now, "--json") for _ in range(2))
        assert once == again
        assert json.loads(once)["knowledge"]["release"] == OLD

    def test_before_the_first_result_says_when_nothing_was_known(self, hospital: Hospital) -> None:
        said = hospital.ends(3, "report", "m-1", "--as-of", "2020-01-01T00:00:00Z")
        assert "nothing was known of patient m-1 of mercy at 2020-01-01T00:00:00Z" in said

    def test_as_of_what_is_no_moment_is_a_usage_error(self, hospital: Hospital) -> None:
        assert "--as-of: expected" in hospital.ends(2, "report", "m-1", "--as-of", "noon")

    def test_under_another_release_names_it_in_text_and_page(self, hospital: Hospital, tmp_path: Path) -> None:
        page = tmp_path / "report.html"
        assert f"Knowledge release {NEW}" in hospital.ends(0, "report", "m-1", "--knowledge", NEW)
        hospital.ends(0, "report", "m-1", "--knowledge", NEW, "--html", str(page))
        assert NEW in page.read_text()

    def test_under_a_release_that_is_not_there_names_those_that_are(self, hospital: Hospital) -> None:
        assert OLD in hospital.ends(3, "report", "m-1", "--knowledge", "1999.01")


class TestExplain:
    def test_traces_advice_to_the_laboratory_s_event(self, hospital: Hospital) -> None:
        told = hospital.ends(0, "explain", "m-1", "clopidogrel")
        for part in ("Poor Metabolizer", "*2/*2", "PMID", "ACC-m-1 of acme-genomics", "content sha256", OLD):
            assert part in told
        traced = json.loads(hospital.ends(0, "explain", "m-1", "B01AC04", "--json"))
        assert (traced["patient"], traced["drug"]) == ("m-1", "clopidogrel")

    def test_draws_a_picture_and_a_page(self, hospital: Hospital, tmp_path: Path) -> None:
        svg, page = tmp_path / "why.svg", tmp_path / "why.html"
        assert hospital.ends(0, "explain", "m-1", "clopidogrel", "--svg", str(svg), "--html", str(page)) == ""
        assert svg.read_text().startswith("<svg")
        assert "clopidogrel" in page.read_text()

    def test_of_a_gene_without_a_result_says_so(self, hospital: Hospital) -> None:
        assert "not assayed" in hospital.ends(0, "explain", "m-1", "warfarin")

    def test_of_what_is_not_known_is_not_found(self, hospital: Hospital) -> None:
        assert "knows no drug nonsense" in hospital.ends(3, "explain", "m-1", "nonsense")
        assert "nothing is known of patient nobody" in hospital.ends(3, "explain", "nobody", "clopidogrel")

    def test_into_a_file_that_cannot_be_written_is_a_usage_error(self, hospital: Hospital, tmp_path: Path) -> None:
        target = tmp_path / "missing" / "why.svg"
        assert "cannot be written" in hospital.ends(2, "explain", "m-1", "clopidogrel", "--svg", str(target))


class TestCohort:
    def test_is_told_as_table_json_and_page(self, hospital: Hospital, tmp_path: Path) -> None:
        page = tmp_path / "cohort.html"
        assert "7 patients of mercy" in hospital.ends(0, "cohort", "--tenant", "mercy")
        told = hospital.ends(0, "cohort", "--tenant", "mercy", "--json", "--html", str(page))
        assert json.loads(told)["patients"] == 7
        assert "<svg" in page.read_text()

    def test_of_a_release_tells_whom_it_would_affect(self, hospital: Hospital, tmp_path: Path) -> None:
        page = tmp_path / "affected.html"
        told = hospital.ends(0, "cohort", "--tenant", "mercy", "--release", NEW)
        assert f"7 patients of mercy would come under knowledge release {NEW}" in told
        assert "whose advice would change: 7 of 7 (100.0%)" in told
        both = hospital.ends(0, "cohort", "--tenant", "mercy", "--release", NEW, "--json", "--html", str(page))
        counted = {one["name"]: one["count"] for one in json.loads(both)["drugs"]}
        assert counted["azathioprine"] == 7
        assert "azathioprine" in page.read_text()

    def test_of_a_release_shows_nothing_of_few(self, hospital: Hospital) -> None:
        found = json.loads(hospital.ends(0, "cohort", "--tenant", "grace", "--release", NEW, "--json"))
        assert (found["patients"], found["affected"], found["genes"], found["drugs"]) == (None, None, [], [])

    def test_of_a_release_that_is_not_there_is_not_found(self, hospital: Hospital) -> None:
        assert OLD in hospital.ends(3, "cohort", "--release", "1999.01")

    def test_names_patients_of_one_tenant_only(self, hospital: Hospital) -> None:
        assert "--tenant" in hospital.ends(2, "cohort", "--list")
        assert "--release" in hospital.ends(2, "cohort", "--list", "--tenant", "mercy", "--release", NEW)


class TestATenantsOwnChoice:
    def test_is_made_taken_back_and_given_up(self, hospital: Hospital) -> None:
        own = ("--tenant", "own")
        assert "own has no choice of its own" in hospital.ends(3, "knowledge", "activate", "--follow", *own)
        chosen = hospital.ends(0, "knowledge", "activate", NEW, *own)
        assert chosen.startswith(f"knowledge release {NEW} governs own: 3 patients came under it now")
        expected = json.loads(hospital.ends(0, "knowledge", "activate", "--follow", *own, "--dry-run", "--json"))
        assert (expected["release"], expected["patients"], expected["affected"]) == (OLD, 3, 3)
        followed = hospital.ends(0, "knowledge", "activate", "--follow", *own)
        assert followed.startswith(f"own follows the choice for all tenants: knowledge release {OLD} governs own: 3 ")
        again = json.loads(hospital.ends(0, "knowledge", "activate", "--follow", *own, "--json"))
        assert (again["follows"], again["patients"], again["changed"], again["finished"]) == (True, 0, 0, True)

    def test_is_a_release_or_that_of_all(self, hospital: Hospital) -> None:
        for arguments in (("--follow",), (NEW, "--follow", "--tenant", "own")):
            assert "which release?" in hospital.ends(2, "knowledge", "activate", *arguments)

    def test_of_a_release_that_is_not_there_is_not_found(self, hospital: Hospital) -> None:
        assert OLD in hospital.ends(3, "knowledge", "activate", "1999.01", "--dry-run")


def test_a_dry_run_says_what_is_another_where_the_actions_stay(hospital: Hospital) -> None:
    told = hospital.ends(0, "knowledge", "activate", NEW, "--dry-run", "--tenant", "mercy")
    assert "7 patients would come under 2026.11; the advice of 7 would change" in told
    change = "azathioprine (CPIC): standard-dosing with a dose (strong), now with other doses"
    assert f"{change}  for example m-0, m-1, m-2\n" in told


@pytest.mark.parametrize(
    "command", [("cohort", "--release", NEW), ("knowledge", "activate", NEW)], ids=lambda words: " ".join(words)
)
def test_without_a_database_a_command_says_where_it_looked(hospital: Hospital, command: tuple[str, ...]) -> None:
    nowhere = hospital.environment | {"PGX_DATABASE_URL": "postgresql://pgx@127.0.0.1:1/pgx", "PGX_PATIENCE": "1"}
    said = Hospital(hospital.settings, nowhere).ends(4, *command)
    assert "127.0.0.1:1" in said
    assert "PGX_DATABASE_URL" in said


@pytest.mark.parametrize(
    "command",
    [
        ("patient", "erase", "m-1", "--tenant", "mercy"),
        ("store", "policy", "block"),
        ("explain", "m-1", "clopidogrel"),
        ("cohort", "--release", NEW),
        ("knowledge", "activate", NEW),
    ],
    ids=lambda words: " ".join(words),
)
def test_without_the_tables_a_command_says_what_makes_them(
    hospital: Hospital, postgres_server: Postgres, command: tuple[str, ...]
) -> None:
    empty = hospital.environment | {"PGX_DATABASE_URL": postgres_server.database("postgres")}
    assert "pgx setup" in Hospital(hospital.settings, empty).ends(4, *command)
