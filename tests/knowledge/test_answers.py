"""What a source says to a combination of keys: one thing, or nothing and then recorded as nothing."""

from collections import Counter

from knowledge import keys
from knowledge.release import Release
from knowledge.sources import Tables


def test_every_combination_has_one_answer_or_is_recorded_as_unanswered(before: Release, after: Release) -> None:
    for release in (before, after):
        silent = {(s.source, s.drug, s.population, s.genes): set(s.combinations) for s in release.unanswered}
        for group, count, missing in keys.answers(release):
            assert set(count.values()) <= {1}, group
            assert set(missing) == silent.get(group, set()), group


def test_cpic_answers_every_combination(before: Release, after: Release) -> None:
    assert not [s for release in (before, after) for s in release.unanswered if s.source == "CPIC"]


def test_how_much_the_other_sources_leave_open(before: Release, after: Release) -> None:
    for release, expected in ((before, {"DPWG": 67, "FDA": 372}), (after, {"DPWG": 68, "FDA": 418})):
        count: Counter[str] = Counter()
        for silence in release.unanswered:
            count[silence.source] += len(silence.combinations)
        assert count == expected


def test_the_recorded_list_is_the_one_that_the_tables_give(tables: Tables, before: Release, after: Release) -> None:
    for release in (before, after):
        computed = keys.as_table(keys.silences(release))
        assert computed == {about: list(missing) for about, missing in tables.unanswered[release.id].items()}


def test_score_genes_are_looked_up_by_score_but_by_phenotype_in_the_fda_table(after: Release) -> None:
    gene = after.genes["CYP2D6"]
    assert "1.0" in keys.reachable(gene, "CPIC")
    assert "Intermediate Metabolizer" in keys.reachable(gene, "FDA")
    assert "1.0" not in keys.reachable(gene, "FDA")


def test_a_row_that_needs_one_of_its_genes_answers_for_each(after: Release) -> None:
    either = [rule for rule in after.rules if rule.any_gene]
    assert len(either) == 8
    groups = keys.groups(after)
    assert ("FDA", "azathioprine", "general", ("NUDT15",)) in groups
    assert ("FDA", "azathioprine", "general", ("TPMT",)) in groups


def test_genotypes_are_told_from_phenotypes(after: Release) -> None:
    assert keys.is_genotype(after.genes["CYP2C9"], "*1/*3")
    assert keys.is_genotype(after.genes["MT-RNR1"], "m.1555A>G")
    assert not keys.is_genotype(after.genes["CYP2C9"], "Poor Metabolizer")
