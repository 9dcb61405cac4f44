"""A result that was filed under the wrong patient: what both patients' hospitals hear, in whatever order it comes."""

import asyncio
from itertools import permutations
from typing import Any

import orjson
import pytest

from schemas.cloudevents import Event
from schemas.lab_result import Status
from schemas.phenotype import PhenotypeAssigned
from schemas.serialise import to_json
from services.recommender.body import unpack
from services.recommender.discordance import Policy
from services.recommender.dump import dump
from services.recommender.handler import Recommender
from services.recommender.misfiled import MOST_OTHERS
from services.recommender.report import Report, events_since, report
from services.recommender.store import Store
from services.recommender.store.policies import EVERYONE, InUse, set_policy
from tests.services.recommender.builders import assigned, release

pytestmark = pytest.mark.postgres

POOR = {"CYP2C19": "*2/*2"}
WRONG, RIGHT = "p-wrong", "p-right"


def filed(patient: str, **options: Any) -> Event[PhenotypeAssigned]:
    return assigned(POOR, patient=patient, accession="N-1", laboratory="north", **options)


FIRST = filed(WRONG)
WITHDRAWN = filed(WRONG, version=2, status=Status.ENTERED_IN_ERROR)
AGAIN = filed(RIGHT, version=2)


async def published(store: Store, patient: str) -> list[dict[str, Any]]:
    rows = await store.pool.fetch("SELECT body FROM outbox ORDER BY id")
    return [event for row in rows if (event := orjson.loads(unpack(row["body"])))["patient"] == patient]


async def known(store: Store, patient: str) -> Report:
    found = await report(store, release, "mercy", patient)
    assert found
    return found


def identity(found: Report) -> list[str]:
    return [one.meaning for one in found.findings if one.kind == "identity"]


async def take_in(recommender: Recommender, *events: Event[PhenotypeAssigned]) -> None:
    for event in events:
        assert await recommender.handle([event]) == ()


async def test_both_patients_are_told_while_nobody_knows_whose_sample_it_is(
    store: Store, recommender: Recommender
) -> None:
    await take_in(recommender, FIRST, AGAIN)
    for patient in (WRONG, RIGHT):
        found = await known(store, patient)
        assert "counts there too" in identity(found)[0]
        assert {one.confidence for one in found.recommendations} == {"reduced"}
    told = (await published(store, WRONG))[1]
    assert (told["sequence"], told["changes"]) == (2, [])
    assert told["cause"] == (await published(store, RIGHT))[0]["cause"]


async def test_the_withdrawal_takes_the_advice_from_one_and_the_doubt_from_the_other(
    store: Store, recommender: Recommender
) -> None:
    await take_in(recommender, FIRST, AGAIN, WITHDRAWN)
    wrong, right = await known(store, WRONG), await known(store, RIGHT)
    assert wrong.recommendations == ()
    assert "it was filed wrongly" in identity(wrong)[0]
    assert "is withdrawn there" in identity(right)[0]
    assert {one.confidence for one in right.recommendations} == {"high"}
    last = (await published(store, WRONG))[-1]
    assert {change["change"] for change in last["changes"]} == {"withdrawn"}
    assert {change["reason"] for change in last["changes"]} == {"result N-1 of north, version 2, is entered-in-error"}


async def test_every_order_ends_right_for_both(store: Store, recommender: Recommender) -> None:
    ends = set()
    for order in permutations([FIRST, WITHDRAWN, AGAIN, FIRST]):
        await store.pool.execute("TRUNCATE patients, outbox CASCADE")
        await take_in(recommender, *order)
        ends.add(tuple([line async for line in dump(store, release, current_only=True)]))
    assert len(ends) == 1


async def test_a_batch_of_all_is_as_good_as_one_after_another(store: Store, recommender: Recommender) -> None:
    await recommender.handle([FIRST, AGAIN, WITHDRAWN])
    assert [event["sequence"] for event in await published(store, WRONG)] == [1, 2, 3]
    assert [event["sequence"] for event in await published(store, RIGHT)] == [1, 2]


async def test_transactions_at_the_same_time_miss_nothing_and_do_not_block_each_other(
    store: Store, recommender: Recommender
) -> None:
    both = [
        [filed(patient, version=version) for patient in order]
        for version, order in enumerate([(WRONG, RIGHT), (RIGHT, WRONG)] * 4, 1)
    ]
    for pair in zip(both[::2], both[1::2], strict=True):
        await asyncio.gather(*map(recommender.handle, pair))
    for patient in (WRONG, RIGHT):
        assert "counts there too" in identity(await known(store, patient))[0]


async def test_events_are_read_back_as_they_were_published(store: Store, recommender: Recommender) -> None:
    await take_in(recommender, FIRST, AGAIN, WITHDRAWN)
    for patient in (WRONG, RIGHT):
        again = [event async for event in events_since(store, release, "mercy", patient)]
        assert [orjson.loads(to_json(event)) for event in again] == await published(store, patient)


async def test_where_the_tenant_wants_it_the_result_counts_for_neither_until_it_is_settled(
    store: Store, recommender: Recommender
) -> None:
    async with store.pool.acquire() as connection:
        await set_policy(connection, "mercy", Policy.BLOCK)
    await take_in(recommender, FIRST, AGAIN)
    assert [(await known(store, patient)).recommendations for patient in (WRONG, RIGHT)] == [(), ()]
    await take_in(recommender, WITHDRAWN)
    assert (await known(store, RIGHT)).recommendations
    again = [event async for event in events_since(store, release, "mercy", RIGHT)]
    assert [orjson.loads(to_json(event)) for event in again] == await published(store, RIGHT)


async def test_the_same_number_of_another_tenant_or_laboratory_is_another_result(
    store: Store, recommender: Recommender
) -> None:
    await take_in(recommender, FIRST, filed(RIGHT, tenant="grace"), assigned(POOR, patient=RIGHT, accession="N-1"))
    assert identity(await known(store, WRONG)) == identity(await known(store, RIGHT)) == []


async def test_a_number_that_a_laboratory_uses_for_many_patients_says_nothing(
    store: Store, recommender: Recommender
) -> None:
    patients = [f"p-{number}" for number in range(MOST_OTHERS + 3)]
    await take_in(recommender, *map(filed, patients[: MOST_OTHERS + 1]))
    assert all([identity(await known(store, patient)) for patient in patients[: MOST_OTHERS + 1]])
    await take_in(recommender, *map(filed, patients[MOST_OTHERS + 1 :]))
    assert not any([identity(await known(store, patient)) for patient in patients])


async def test_the_policy_is_chosen_before_the_first_result(store: Store, recommender: Recommender) -> None:
    await take_in(recommender, FIRST)
    async with store.pool.acquire() as connection:
        for tenant in ("mercy", EVERYONE):
            with pytest.raises(InUse):
                await set_policy(connection, tenant, Policy.BLOCK)
        await set_policy(connection, "grace", Policy.BLOCK)
