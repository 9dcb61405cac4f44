"""Figures of a population: what is counted, and that nothing small can be worked out of them."""

from collections.abc import Mapping

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cli.interpretation import Interpreter
from services.recommender.cohort import OTHERS, SMALLEST, cohort, frequencies, share, takers
from services.recommender.handler import Recommender
from services.recommender.store import Store
from services.report.cohort import page, text
from tests.services.recommender.activating import OLD, activated, assigned, said
from tests.services.recommender.builders import release

COUNTS = st.dictionaries(st.text("abcdef", min_size=1, max_size=3), st.integers(1, 30), max_size=8)


@given(COUNTS)
def test_no_group_that_is_shown_is_small_and_none_is_what_is_missing_from_the_whole(counts: Mapping[str, int]) -> None:
    total = sum(counts.values())
    shown = frequencies(counts, counts, total)
    assert all(one.count >= SMALLEST for one in shown)
    left = total - sum(one.count for one in shown)
    assert left == 0 or not shown
    if total >= SMALLEST:
        assert left == 0


@given(st.integers(0, 30), st.integers(0, 30))
def test_a_share_is_withheld_where_it_or_the_rest_is_small(part: int, rest: int) -> None:
    found = share(part, part + rest)
    assert (found.patients is None) == (0 < part < SMALLEST or 0 < rest < SMALLEST)


def test_an_allele_of_many_copies_in_few_patients_is_not_shown() -> None:
    shown = frequencies({"*1": 40, "*2": 8, "*3": 6}, {"*1": 22, "*2": 4, "*3": 5}, 54)
    assert [(one.name, one.count) for one in shown] == [("*1", 40), (OTHERS, 14)]


@pytest.mark.postgres
class TestStoredPatients:
    async def filled(self, store: Store) -> None:
        recommender = Recommender(store, release, Interpreter(release))
        await activated(store, OLD)
        poor = [assigned({"CYP2C19": "*2/*2"}, patient=f"poor-{number}") for number in range(6)]
        normal = [assigned({"CYP2C19": "*1/*1"}, patient=f"normal-{number}") for number in range(8)]
        taken = [{"name": "clopidogrel", "status": "started"}]
        context = [said(f"{kind}-{number}", medications=taken) for kind in ("poor", "normal") for number in range(6)]
        await recommender.handle([*poor, *normal, *context])
        await recommender.handle([assigned({"CYP2C19": "*3/*3"}, patient="p-1", tenant="grace")])

    async def test_are_counted_by_allele_and_phenotype(self, store: Store) -> None:
        await self.filled(store)
        found = await cohort(store, release(OLD), "mercy")
        (gene,) = found.genes
        assert (found.patients, gene.patients, gene.ambiguous) == (14, 14, 0)
        assert [one.model_dump() for one in gene.alleles] == [
            {"name": "*1", "count": 16, "share": 0.571429}, {"name": "*2", "count": 12, "share": 0.428571},
        ]  # fmt: skip
        figures = [(one.name, one.count, one.actionable) for one in gene.phenotypes]
        assert figures == [("Normal Metabolizer", 8, False), ("Poor Metabolizer", 6, True)]
        assert found.actionable is not None
        assert (found.actionable.patients, found.actionable.of) == (6, 14)

    async def test_who_take_what_their_genes_advise_against_are_counted_and_listed(self, store: Store) -> None:
        await self.filled(store)
        found = await cohort(store, release(OLD), "mercy")
        assert found.against is not None
        assert (found.against.patients, found.against.of) == (6, 12)
        assert [(one.name, one.count) for one in found.drugs] == [("clopidogrel", 6)]
        listed = await takers(store, "mercy")
        assert [one.patient for one in listed] == [f"poor-{number}" for number in range(6)]
        assert {one.drugs for one in listed} == {("clopidogrel",)}

    async def test_of_a_small_tenant_nothing_is_shown(self, store: Store) -> None:
        await self.filled(store)
        found = await cohort(store, release(OLD), "grace")
        assert (found.patients, found.genes, found.actionable) == (None, (), None)

    async def test_are_shown_as_text_and_as_a_page_that_needs_nothing_else(self, store: Store) -> None:
        await self.filled(store)
        found = await cohort(store, release(OLD), "mercy")
        assert "14 patients of mercy" in next(iter(text(found)))
        shown = page(found)
        assert shown.count("<svg") == 3
        assert "http" not in shown
