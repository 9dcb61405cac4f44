"""Who is passed over at an activation: only those whom an evaluation would leave as they are, whatever differs."""

from dataclasses import replace
from functools import cache
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from cli.interpretation import Interpreter, about
from knowledge import site
from knowledge.model import Gene, Rule
from knowledge.release import Release, seal
from schemas.genotype import KnowledgeRef
from services.recommender.discordance import Policy
from services.recommender.dump import dump
from services.recommender.handler import Recommender, Taken
from services.recommender.reinterpretation import Progress, Reinterpreter
from services.recommender.store import Store, rows
from services.recommender.store.activations import activations, add
from services.recommender.store.behind import Scope
from tests.services.recommender.activating import NEW, OLD, said
from tests.services.recommender.builders import release
from tests.services.recommender.populations import CALLS
from tests.support.results import lab_result, phenotyped

pytestmark = pytest.mark.postgres


def _normal(gene: Gene, name: str) -> Gene:
    """The gene with an allele that has normal function after all."""
    normal = {"function": "Normal function", "activity_value": "1.0"}
    alleles = tuple(one.model_copy(update=normal) if one.name == name else one for one in gene.definition.alleles)
    return gene.model_copy(update={"definition": gene.definition.model_copy(update={"alleles": alleles})})


def _of_poor_metabolizers(rule: Rule) -> bool:
    return not {"0.0", "Poor Metabolizer"}.isdisjoint(rule.genes.get("CYP2D6", ()))


@cache
def variants() -> dict[str, Release]:
    """Releases that differ from the older one in one respect each."""
    old, new = release(OLD), release(NEW)

    def overlay(name: str, **other: Any) -> Release:
        return site.overlay(old, site.manifest(old, f"{OLD}-{name}", "2025-12-01", "Of a test.", "a test"), **other)

    def other(name: str, **fields: Any) -> Release:
        about_it = site.manifest(old, f"{OLD}-{name}", "2025-12-01", "Of a test.", "a test")
        return seal(replace(old, manifest=about_it, **fields))

    def stronger(drug: str) -> list[Rule]:
        return [one.model_copy(update={"strength": "optional"}) for one in old.rules if one.drug == drug]

    halved = old.phenoconversion.model_copy(update={"precipitants": old.phenoconversion.precipitants[::2]})
    made = (
        overlay("thiopurines", genes=[new.genes["TPMT"], new.genes["NUDT15"]]),
        overlay("enzyme", genes=[_normal(old.genes["CYP2D6"], "*4")]),
        overlay("dosing", genes=[_normal(old.genes["CYP2C9"], "*3")]),
        overlay("thiopurine-rows", rules=stronger("azathioprine")),
        overlay("enzyme-rows", rules=[one for one in stronger("paroxetine") if not _of_poor_metabolizers(one)]),
        overlay("dosed-drug-rows", rules=stronger("warfarin")),
        other("interactions", phenoconversion=halved),
        other("equations", warfarin=old.warfarin.model_copy(update={"algorithms": old.warfarin.algorithms[:1]})),
    )
    return {one.id: one for one in (*made, old, new)}


def load(name: str) -> Release:
    return variants()[name]


INTERPRETER = Interpreter(load)


@pytest.fixture
def recommender(store: Store) -> Recommender:
    return Recommender(store, load, INTERPRETER)


async def activated(store: Store, name: str, *, everyone: bool = False) -> Progress:
    """Activate a release for all and bring everybody under it."""
    known = load(name)
    async with store.pool.acquire() as connection, connection.transaction():
        number = await add(connection, None, KnowledgeRef(release=known.id, sha256=known.sha256))
    made = await activations(store.pool, INTERPRETER)
    governing = made.of(number)
    assert governing is not None
    progress = Progress()
    work = Reinterpreter(store, load, INTERPRETER, governing, made)
    async for _ in work.run(Scope(None), progress, everyone=everyone):
        pass
    assert not progress.failed
    return progress


BODY = {"birth_year": 1960, "weight_kg": 70.0, "height_cm": 170.0, "ancestry": "white"}
MEDICATIONS = st.lists(
    st.sampled_from(("azathioprine", "paroxetine", "fluconazole", "warfarin", "gefitinib", "codeine")),
    unique=True, max_size=3,
)  # fmt: skip


@st.composite
def populations(draw: st.DrawFn) -> list[Taken]:
    """Events of a few patients: one or two laboratories, some withdrawn, clinical context of some."""
    events: list[Taken] = []
    old = release(OLD)
    for number in range(draw(st.integers(2, 5))):
        name = f"p-{number}"
        for laboratory in draw(st.lists(st.sampled_from(("acme", "other")), min_size=1, max_size=2, unique=True)):
            calls = draw(CALLS) or {"TPMT": "*1/*3A"}
            status = draw(st.sampled_from(("final", "final", "preliminary", "entered-in-error")))
            result = lab_result(calls, old, patient=name, laboratory=laboratory, status=status, day=1 + len(events))
            events.append(phenotyped(result, old))
        if draw(st.booleans()):
            taken = [{"name": one, "status": "started"} for one in draw(MEDICATIONS)]
            events.append(said(name, medications=taken, **(BODY if draw(st.booleans()) else {})))
    return events


async def everything(store: Store) -> list[Any]:
    """All that is kept and published, without times."""
    queries = (
        "SELECT lane, key, body, background FROM outbox ORDER BY key, id",
        "SELECT to_jsonb(history) - 'recorded' - 'patient_id' AS row, pseudonym FROM history JOIN patients"
        " ON id = patient_id ORDER BY pseudonym, history.sequence",
        "SELECT pseudonym, sequence, inputs, activation, medications, against, ARRAY(SELECT content::text FROM lookups"
        " WHERE number = ANY (patients.lookups) ORDER BY gene) AS lookups FROM patients ORDER BY pseudonym",
    )
    found: list[Any] = [line async for line in dump(store, load, current_only=False, interpret=INTERPRETER)]
    for query in queries:
        found += [tuple(row) for row in await store.pool.fetch(query)]
    return found


async def afterwards(
    store: Store, recommender: Recommender, people: list[Taken], name: str, policy: Policy, *, everyone: bool
) -> tuple[list[Any], list[int]]:
    """A store after an activation and its being taken back, and how many patients were told at each."""
    await store.pool.execute(
        "TRUNCATE patients, results, statements, inbox, history, outbox, activations, policies CASCADE"
    )
    await store.pool.execute("ALTER SEQUENCE activations_number_seq RESTART")
    await store.pool.execute("INSERT INTO policies (tenant, discordance) VALUES ('mercy', $1)", policy.value)
    await activated(store, OLD)
    assert not await recommender.handle(people)
    told = [(await activated(store, one, everyone=everyone)).published for one in (name, OLD)]
    return await everything(store), told


@settings(max_examples=12, deadline=None, suppress_health_check=list(HealthCheck))
@given(populations(), st.sampled_from(sorted(variants().keys() - {OLD})), st.sampled_from(Policy))
async def test_an_activation_leaves_what_evaluating_everyone_leaves(
    store: Store, recommender: Recommender, people: list[Taken], name: str, policy: Policy
) -> None:
    shortened = await afterwards(store, recommender, people, name, policy, everyone=False)
    assert shortened == await afterwards(store, recommender, people, name, policy, everyone=True)


class TestAPatientOfTwoLaboratories:
    async def reached(
        self, store: Store, recommender: Recommender, first: dict[str, str], second: dict[str, str]
    ) -> Progress:
        old = release(OLD)
        await activated(store, OLD)
        for day, (laboratory, calls) in enumerate((("acme", first), ("other", second)), 1):
            await recommender.handle([phenotyped(lab_result(calls, old, laboratory=laboratory, day=day), old)])
        return await activated(store, f"{OLD}-thiopurines")

    @pytest.mark.parametrize(
        ("first", "second"), [({"TPMT": "*1/*1"}, {"CYP2D6": "*1/*4"}), ({"TPMT": "*1/*8"}, {"TPMT": "*1/*1"})]
    )
    async def test_is_passed_over_where_what_speaks_stays(
        self, store: Store, recommender: Recommender, first: dict[str, str], second: dict[str, str]
    ) -> None:
        progress = await self.reached(store, recommender, first, second)
        assert (progress.examined, progress.recomputed, progress.published) == (1, 0, 0)

    async def test_is_told_where_the_newer_of_both_means_something_else(
        self, store: Store, recommender: Recommender
    ) -> None:
        progress = await self.reached(store, recommender, {"TPMT": "*1/*1"}, {"TPMT": "*1/*8"})
        assert (progress.examined, progress.recomputed, progress.published) == (1, 1, 1)


class TestAPatientWithClinicalContext:
    TAKEN = ({"name": "paroxetine", "status": "started"}, {"name": "azathioprine", "status": "started"})

    async def reached(self, store: Store, recommender: Recommender, calls: dict[str, str], name: str) -> Progress:
        old = release(OLD)
        await activated(store, OLD)
        await recommender.handle([phenotyped(lab_result(calls, old), old), said(medications=list(self.TAKEN))])
        return await activated(store, name)

    async def test_is_passed_over_where_genes_and_rows_say_what_they_said(
        self, store: Store, recommender: Recommender
    ) -> None:
        calls = {"TPMT": "*1/*1", "NUDT15": "*1/*1", "CYP2D6": "*1/*4"}
        progress = await self.reached(store, recommender, calls, f"{OLD}-thiopurines")
        assert (progress.examined, progress.recomputed) == (1, 0)

    async def test_is_evaluated_where_a_gene_means_something_else(self, store: Store, recommender: Recommender) -> None:
        calls = {"TPMT": "*1/*8", "CYP2D6": "*1/*4"}
        progress = await self.reached(store, recommender, calls, f"{OLD}-thiopurines")
        assert (progress.examined, progress.recomputed, progress.published) == (1, 1, 1)

    @pytest.mark.parametrize("name", ["interactions", "equations", "enzyme", "enzyme-rows"])
    async def test_is_evaluated_where_what_is_taken_may_enter(
        self, store: Store, recommender: Recommender, name: str
    ) -> None:
        progress = await self.reached(store, recommender, {"CYP2D6": "*1/*4"}, f"{OLD}-{name}")
        assert (progress.examined, progress.recomputed) == (1, 1)

    async def test_is_told_of_rows_that_are_looked_up_with_the_genes_alone(
        self, store: Store, recommender: Recommender
    ) -> None:
        # The inhibitor makes a poor metabolizer of the patient, for other drugs than itself.
        progress = await self.reached(store, recommender, {"CYP2D6": "*1/*1"}, f"{OLD}-enzyme-rows")
        assert progress.published == 1


async def test_a_withdrawn_result_brings_no_gene_back(store: Store, recommender: Recommender) -> None:
    old = release(OLD)
    await activated(store, OLD)
    for version, status in ((1, "final"), (2, "entered-in-error")):
        result = lab_result({"TPMT": "*1/*8"}, old, version=version, status=status)
        await recommender.handle([phenotyped(result, old)])
    progress = await activated(store, f"{OLD}-thiopurines")
    assert (progress.examined, progress.recomputed, progress.published) == (1, 0, 0)
    assert await store.pool.fetchval("SELECT lookups FROM patients") == []


@given(st.data())
def test_a_gene_is_found_in_a_stored_text_as_in_the_parsed_one(data: st.DataObject) -> None:
    old = release(OLD)
    event = phenotyped(lab_result(data.draw(CALLS), old), old).data
    for stored, parts in (
        (rows.genotypes(event.genotype.genotypes), event.genotype.genotypes),
        (rows.phenotypes(event.phenotypes), event.phenotypes),
    ):
        for gene in old.genes:
            of_gene = [one.model_dump_json(exclude_defaults=True) for one in parts if one.gene == gene]
            assert list(about(stored, gene)) == of_gene
