"""Which release governs a tenant: choices for all, own ones, and own ones that are given up."""

from datetime import UTC, datetime, timedelta

import pytest

from schemas.genotype import KnowledgeRef
from services.recommender.interpretation import Governing, as_delivered
from services.recommender.store.activations import Activated, Activations

START = datetime(2026, 3, 1, tzinfo=UTC)
ALL = None


def made(*choices: tuple[str | None, str], unfinished: tuple[int, ...] = ()) -> Activations:
    """One choice a day, finished twelve hours later: a tenant (or all) and a release, ``follow`` in place of one."""
    found = []
    common = ""
    for number, (tenant, release) in enumerate(choices, start=1):
        common = release if tenant is ALL else common
        day = START + timedelta(days=number)
        finished = None if number in unfinished else day + timedelta(hours=12)
        known = KnowledgeRef(release=common if release == "follow" else release, sha256="0" * 64)
        found.append(Activated(number, tenant, release == "follow", known, day, day, finished, 0, 0, 0))
    return Activations(found, as_delivered)


def number(governing: Governing | None) -> int | None:
    return None if governing is None else governing.number


@pytest.mark.parametrize(
    ("choices", "governing"),
    [
        ([(ALL, "A")], 1),
        ([(ALL, "A"), ("mercy", "B")], 2),
        ([(ALL, "A"), ("mercy", "B"), (ALL, "C")], 2),
        ([(ALL, "A"), ("mercy", "B"), ("mercy", "follow")], 3),
        ([(ALL, "A"), ("mercy", "B"), ("mercy", "follow"), (ALL, "C")], 4),
        ([(ALL, "A"), ("mercy", "B"), ("mercy", "follow"), (ALL, "C"), ("mercy", "B")], 5),
        ([(ALL, "A"), ("grace", "B")], 1),
    ],
)
def test_the_last_choice_that_is_about_a_tenant_governs_it(
    choices: list[tuple[str | None, str]], governing: int
) -> None:
    known = made(*choices)
    assert number(known.governing("mercy")) == governing
    assert number(known.reached("mercy", START + timedelta(days=99))) == governing


def test_a_tenant_that_gave_its_choice_up_has_none_of_its_own() -> None:
    assert made((ALL, "A"), ("mercy", "B"), ("grace", "B"), ("mercy", "follow")).own() == ("grace",)


def test_what_had_reached_everybody_then_is_known_day_by_day() -> None:
    known = made((ALL, "A"), ("mercy", "B"), (ALL, "C"), ("mercy", "follow"))
    days = [number(known.reached("mercy", START + timedelta(days=day + 0.6))) for day in range(5)]
    assert days == [None, 1, 2, 2, 4]


def test_a_choice_for_all_passes_a_tenant_by_whose_own_is_not_finished() -> None:
    known = made((ALL, "A"), ("mercy", "B"), (ALL, "C"), unfinished=(2,))
    assert number(known.reached("mercy", START + timedelta(days=99))) == 1
