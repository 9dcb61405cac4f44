"""Results of several laboratories that contradict each other about a gene: what counts, and what is said about it."""

from itertools import permutations

import pytest

from schemas.finding import Finding, FindingKind, Significance
from schemas.genotype import CallStatus, Diplotype, GeneCall
from schemas.lab_result import Status
from schemas.phenotype import Phenotype, ResultNote
from services.recommender.discordance import Policy, Voice, contradict
from services.recommender.merging import Delivery
from services.recommender.state import State, state_of
from tests.services.recommender.builders import NO_CALL, delivery, release

POOR = {"CYP2C19": "*2/*2"}
NORMAL = {"CYP2C19": "*1/*1"}


def north(calls: dict[str, str] = POOR, **options: object) -> Delivery:
    return delivery(calls, laboratory="north", accession="N-1", **options)


def south(calls: dict[str, str] = NORMAL, **options: object) -> Delivery:
    return delivery(calls, laboratory="south", accession="S-1", **options)


def state(*deliveries: Delivery, policy: Policy = Policy.NEWEST) -> State:
    return state_of(deliveries, release, policy=policy)


def discordances(known: State) -> list[Finding]:
    return [one for one in known.findings if one.kind is FindingKind.DISCORDANCE]


def advice(known: State, drug: str = "clopidogrel") -> list[tuple[tuple[str, ...], str]]:
    return [(one.actions, one.confidence) for one in known.recommendations if (one.drug, one.source) == (drug, "CPIC")]


class TestAContradiction:
    def test_is_published_with_both_results(self) -> None:
        (finding,) = discordances(state(north(), south(day=3)))
        assert (finding.gene, finding.significance) == ("CYP2C19", Significance.POSSIBLE)
        assert [note.accession for note in finding.results] == ["N-1", "S-1"]
        assert "N-1 of north (2026-03-01) says *2/*2 (Poor Metabolizer)" in finding.meaning
        assert "S-1 of south (2026-03-04) says *1/*1 (Normal Metabolizer)" in finding.meaning

    def test_leaves_the_gene_to_the_newest_result_and_marks_its_advice(self) -> None:
        known = state(north(), south(day=3))
        assert known.genotypes[0].diplotypes[0].label == "*1/*1"
        assert {confidence for _, confidence in advice(known)} == {"reduced"}
        assert any("contradict each other" in one for one in known.recommendations[0].confidence_reasons)

    def test_blocks_the_gene_where_the_tenant_wants_that(self) -> None:
        known = state(north(POOR | {"CYP2D6": "*4/*4"}), south(day=3), policy=Policy.BLOCK)
        assert (known.genotypes[0].status, known.genotypes[0].reason) == (CallStatus.NO_CALL, "discordant-results")
        assert advice(known) == []
        assert [one.gene for one in known.phenotypes] == ["CYP2D6"]
        assert len(discordances(known)) == 1

    def test_of_two_results_of_one_laboratory_is_one_as_well(self) -> None:
        assert discordances(state(delivery(POOR, accession="A"), delivery(NORMAL, accession="B")))

    @pytest.mark.parametrize("policy", list(Policy))
    def test_is_the_same_whichever_result_came_first(self, policy: Policy) -> None:
        results = [north(), south(day=3), delivery({"CYP2C19": "*1/*17"}, accession="C", day=1)]
        assert len({str(state(*order, policy=policy)) for order in permutations(results)}) == 1

    def test_ends_when_one_of_the_results_is_withdrawn(self) -> None:
        withdrawn = south(day=4, version=2, status=Status.ENTERED_IN_ERROR)
        known = state(north(), south(day=3), withdrawn)
        assert discordances(known) == []
        assert known.genotypes[0].diplotypes[0].label == "*2/*2"
        assert {confidence for _, confidence in advice(known)} == {"high"}


class TestNoContradiction:
    def test_is_between_results_that_agree(self) -> None:
        assert discordances(state(north(), south(POOR))) == []

    def test_is_between_different_genes(self) -> None:
        assert discordances(state(north(), south({"CYP2D6": "*4/*4"}))) == []

    def test_is_between_a_call_and_a_no_call(self) -> None:
        assert discordances(state(north(), south({"CYP2C19": NO_CALL}))) == []

    def test_is_between_a_final_result_and_a_preliminary_one(self) -> None:
        known = state(north(), south(day=3, status=Status.PRELIMINARY), policy=Policy.BLOCK)
        assert discordances(known) == []
        assert known.genotypes[0].diplotypes[0].label == "*2/*2"


def voice(*diplotypes: str, status: CallStatus = CallStatus.CALLED, unseen: tuple[str, ...] = (), **is_: str) -> Voice:
    """What a result says about a gene: diplotypes, or a phenotype alone; ``unseen``: alleles that it could not call."""
    called = tuple(Diplotype(label=one, alleles=tuple(one.split("/"))) for one in diplotypes)
    call = GeneCall(gene="G", status=status, diplotypes=called, uncallable_haplotypes=unseen)
    note = ResultNote(laboratory="l", accession="a", issued="2026-03-01T00:00:00Z", status="final", version=1)
    phenotype = Phenotype(
        gene="G", diplotype=None, alleles=(), functions=(), phenotype=is_.get("phenotype"), lookup_key=is_.get("key")
    )
    return Voice(note, False, call, (phenotype,) if is_ else ())


class TestWhatContradicts:
    def test_diplotypes_are_compared_without_their_order(self) -> None:
        assert not contradict(voice("*1/*2"), voice("*2/*1"))
        assert contradict(voice("*1/*2"), voice("*1/*3"))

    def test_an_ambiguous_call_fits_each_of_its_candidates(self) -> None:
        ambiguous = voice("*1/*6", "*2/*5", status=CallStatus.AMBIGUOUS)
        assert not contradict(ambiguous, voice("*2/*5"))
        assert contradict(ambiguous, voice("*2/*6"))

    def test_an_allele_that_a_result_could_not_see_contradicts_nothing(self) -> None:
        assert not contradict(voice("*1/*17"), voice("*1/*1", unseen=("*17",)))
        assert contradict(voice("*2/*17"), voice("*1/*1", unseen=("*17",)))

    def test_one_allele_reported_alone_fits_a_pair_that_holds_it(self) -> None:
        assert not contradict(voice("*57:01"), voice("*15:02/*57:01"))
        assert contradict(voice("*57:01"), voice("*15:02/*58:01"))

    def test_where_only_a_phenotype_is_reported_meanings_are_compared(self) -> None:
        called = voice("*1/*2", phenotype="Intermediate Metabolizer", key="1.0")
        assert not contradict(called, voice(status=CallStatus.REPORTED, phenotype="Intermediate Metabolizer"))
        assert not contradict(called, voice(status=CallStatus.REPORTED, key="1.0"))
        assert contradict(called, voice(status=CallStatus.REPORTED, phenotype="Poor Metabolizer", key="0.0"))


def test_a_result_that_could_not_see_an_allele_gives_way_to_an_older_one_that_found_it() -> None:
    older, newer = north({"CYP2C19": "*1/*17"}), south(NORMAL, day=30)
    blind = newer.genotypes[0].model_copy(update={"uncallable_haplotypes": ("*17",)})
    limited = Delivery(newer.result, newer.knowledge, (blind,), newer.phenotypes)
    known = state(older, limited)
    assert known.genotypes[0].diplotypes[0].label == "*1/*17"
    assert discordances(known) == []
