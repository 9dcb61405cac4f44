"""A result that was filed under the wrong patient: who reads either patient is told, and nobody's events show it."""

from collections.abc import Sequence
from datetime import UTC, datetime
from itertools import permutations
from typing import Any

import orjson
import pytest

from cli.interpretation import Interpreter
from schemas.cloudevents import Event
from schemas.finding import Finding
from schemas.genotype import KnowledgeRef
from schemas.lab_result import Status
from schemas.phenotype import PhenotypeAssigned
from services.recommender.body import unpack
from services.recommender.discordance import Policy
from services.recommender.dump import dump
from services.recommender.erasure import erase
from services.recommender.explained import explained
from services.recommender.export import export
from services.recommender.handler import Recommender
from services.recommender.hindsight import Moment, report_at
from services.recommender.misfiled import MOST_OTHERS
from services.recommender.report import Report, report
from services.recommender.store import Store
from services.recommender.store.policies import EVERYONE, InUse, set_policy
from tests.services.recommender.builders import assigned, release

pytestmark = pytest.mark.postgres

POOR = {"CYP2C19": "*2/*2"}
WRONG, RIGHT = "p-wrong", "p-right"


def filed(patient: str, **options: Any) -> Event[PhenotypeAssigned]:
    return assigned(POOR, **({"patient": patient, "accession": "N-1", "laboratory": "north"} | options))


FIRST = filed(WRONG)
WITHDRAWN = filed(WRONG, version=2, status=Status.ENTERED_IN_ERROR)
AGAIN = filed(RIGHT, version=2)


async def take_in(recommender: Recommender, *events: Event[PhenotypeAssigned]) -> None:
    for event in events:
        assert await recommender.handle([event]) == ()


async def emptied(store: Store) -> None:
    await store.pool.execute("TRUNCATE patients, outbox CASCADE")


async def known(store: Store, patient: str) -> Report:
    found = await report(store, release, "mercy", patient)
    assert found
    return found


def identity(findings: Sequence[Finding]) -> list[str]:
    return [one.meaning for one in findings if one.kind == "identity"]


async def told(store: Store, patient: str) -> list[str]:
    return identity((await known(store, patient)).findings)


async def lines(store: Store, *, current_only: bool = False) -> list[bytes]:
    return [line async for line in dump(store, release, current_only=current_only)]


async def published(store: Store, patient: str) -> list[bytes]:
    rows = await store.pool.fetch("SELECT body FROM outbox WHERE key = $1 ORDER BY id", f"mercy/{patient}")
    return [unpack(row["body"]) for row in rows]


async def test_both_patients_have_the_finding_while_both_results_count(store: Store, recommender: Recommender) -> None:
    await take_in(recommender, FIRST, AGAIN)
    for patient in (WRONG, RIGHT):
        found = await known(store, patient)
        assert "counts there too" in identity(found.findings)[0]
        assert {one.confidence for one in found.recommendations} == {"high"}
        assert [one.warnings for one in found.genotypes] == [()]


async def test_a_withdrawal_is_told_to_both(store: Store, recommender: Recommender) -> None:
    await take_in(recommender, FIRST, AGAIN, WITHDRAWN)
    assert "it was filed wrongly" in (await told(store, WRONG))[0]
    assert "is withdrawn there" in (await told(store, RIGHT))[0]
    assert (await known(store, WRONG)).recommendations == ()


async def test_where_all_have_withdrawn_it_nothing_is_left_to_clarify(store: Store, recommender: Recommender) -> None:
    await take_in(recommender, WITHDRAWN, filed(RIGHT, status=Status.CANCELLED))
    assert await told(store, WRONG) == await told(store, RIGHT) == []


async def test_every_order_is_told_the_same(store: Store, recommender: Recommender) -> None:
    ends = set()
    for order in permutations([FIRST, WITHDRAWN, AGAIN, FIRST]):
        await emptied(store)
        await take_in(recommender, *order)
        ends.add(tuple(await lines(store, current_only=True)))
    (end,) = ends
    states = [line for line in map(orjson.loads, end) if line["record"] == "state"]
    assert [[one["kind"] for one in state["findings"] if "kind" in one] for state in states] == [["identity"]] * 2


async def test_the_report_the_explanation_and_the_export_have_it_and_the_full_dump_has_not(
    store: Store, recommender: Recommender
) -> None:
    await take_in(recommender, FIRST, AGAIN)
    explanation = await explained(store, release, "mercy", RIGHT, "clopidogrel")
    assert explanation
    assert identity(explanation.findings) == await told(store, RIGHT) != []
    exported = orjson.loads(orjson.dumps(await export(store, release, "mercy", RIGHT)))
    assert "identity" in {one.get("kind") for one in exported["report"]["findings"]}
    assert not [line for line in await lines(store) if b'"kind":"identity"' in line]


async def test_what_was_known_at_a_moment_is_without_it_and_another_release_with_it(
    store: Store, recommender: Recommender
) -> None:
    await take_in(recommender, FIRST, AGAIN)
    other = release("2026.11")
    then = await report_at(store, release, "mercy", RIGHT, Moment(at=datetime(2100, 1, 1, tzinfo=UTC)))
    under = Moment(knowledge=KnowledgeRef(release=other.id, sha256=other.sha256))
    now = await report_at(store, release, "mercy", RIGHT, under, Interpreter(release))
    assert then
    assert now
    assert (identity(then.findings), identity(now.findings)) == ([], await told(store, RIGHT))


async def test_a_patient_is_told_of_each_result_that_others_have(store: Store, recommender: Recommender) -> None:
    of_others = [filed("p-1"), filed("p-2", accession="N-2"), filed("p-3", accession="N-2")]
    await take_in(recommender, *of_others, AGAIN, filed(RIGHT, accession="N-2"), filed(RIGHT, accession="N-3"))
    assert [meaning.split()[0] for meaning in await told(store, RIGHT)] == ["N-1", "N-2"]


async def test_patients_in_any_interleaving_have_the_events_and_the_dump_of_their_own_input(
    store: Store, recommender: Recommender
) -> None:
    patients = [WRONG, RIGHT, "p-third"]
    inputs = {
        patient: [
            filed(patient),
            filed(patient, version=2, status=Status.CORRECTED, day=1),
            assigned({"CYP2C9": "*1/*3"}, patient=patient, accession="N-2", laboratory="south", day=2),
            filed(patient, version=3, status=Status.CANCELLED, day=3),
        ]
        for patient in patients
    }
    one_after_another = [event for patient in patients for event in inputs[patient]]
    in_turns = [event for turn in zip(*map(inputs.__getitem__, reversed(patients)), strict=True) for event in turn]
    dumps, bodies = [], []
    for batches in ([[one] for one in one_after_another], [[one] for one in in_turns], [in_turns]):
        await emptied(store)
        for batch in batches:
            assert await recommender.handle(batch) == ()
        dumps.append(await lines(store))
        bodies.append({patient: await published(store, patient) for patient in patients})
    assert dumps[0] == dumps[1] == dumps[2]
    assert bodies[0] == bodies[1] == bodies[2]
    assert {len(events) for events in bodies[0].values()} == {4}
    assert not [body for events in bodies[0].values() for body in events if b'"identity"' in body]
    for patient in patients:
        await emptied(store)
        await take_in(recommender, *inputs[patient])
        assert await published(store, patient) == bodies[0][patient]


async def test_a_tenant_that_blocks_what_contradicts_does_not_block_what_others_have(
    store: Store, recommender: Recommender
) -> None:
    async with store.pool.acquire() as connection:
        await set_policy(connection, "mercy", Policy.BLOCK)
    await take_in(recommender, FIRST, AGAIN)
    assert all([(await known(store, patient)).recommendations for patient in (WRONG, RIGHT)])


async def test_the_erasure_of_one_takes_the_finding_from_the_other(store: Store, recommender: Recommender) -> None:
    await take_in(recommender, FIRST, AGAIN)
    before = await published(store, RIGHT)
    await erase(store, "mercy", WRONG)
    assert await told(store, RIGHT) == []
    assert await published(store, RIGHT) == before
    assert WRONG.encode() not in b"".join(await lines(store))


async def test_the_same_number_of_another_tenant_or_laboratory_is_another_result(
    store: Store, recommender: Recommender
) -> None:
    await take_in(recommender, FIRST, filed(RIGHT, tenant="grace"), filed(RIGHT, laboratory="south"))
    assert await told(store, WRONG) == await told(store, RIGHT) == []


async def test_a_number_that_a_laboratory_uses_for_many_patients_says_nothing(
    store: Store, recommender: Recommender
) -> None:
    patients = [f"p-{number}" for number in range(MOST_OTHERS + 2)]
    await take_in(recommender, *map(filed, patients[:-1]))
    assert all([await told(store, patient) for patient in patients[:-1]])
    await take_in(recommender, filed(patients[-1]))
    assert not any([await told(store, patient) for patient in patients])


async def test_the_policy_is_chosen_before_the_first_result(store: Store, recommender: Recommender) -> None:
    await take_in(recommender, FIRST)
    async with store.pool.acquire() as connection:
        for tenant in ("mercy", EVERYONE):
            with pytest.raises(InUse):
                await set_policy(connection, tenant, Policy.BLOCK)
        await set_policy(connection, "grace", Policy.BLOCK)
