"""Rule ids: the same wherever a row is about the same, and different otherwise."""

from hypothesis import given
from hypothesis import strategies as st

from knowledge.identity import rule_id
from knowledge.release import Release

NAMES = st.text(st.characters(categories=["L", "N", "P", "S", "Zs"]), min_size=1, max_size=12)
GENES = st.dictionaries(NAMES, st.lists(NAMES, min_size=1, max_size=4, unique=True), min_size=1, max_size=3)


@given(GENES, st.randoms())
def test_the_order_of_genes_and_keys_does_not_matter(genes: dict[str, list[str]], random: st.DataObject) -> None:
    shuffled = [(gene, random.sample(keys, len(keys))) for gene, keys in genes.items()]  # type: ignore[attr-defined]
    random.shuffle(shuffled)  # type: ignore[attr-defined]
    assert rule_id("CPIC", "codeine", "general", genes) == rule_id("CPIC", "codeine", "general", dict(shuffled))


@given(GENES, GENES)
def test_other_keys_are_another_rule(one: dict[str, list[str]], other: dict[str, list[str]]) -> None:
    same = {g: sorted(k) for g, k in one.items()} == {g: sorted(k) for g, k in other.items()}
    ids = [rule_id("CPIC", "codeine", "general", genes) for genes in (one, other)]
    assert (ids[0] == ids[1]) == same


def test_source_drug_and_population_are_part_of_it() -> None:
    genes = {"CYP2C19": ["Poor Metabolizer"]}
    about = [("CPIC", "clopidogrel", "general"), ("DPWG", "clopidogrel", "general"), ("CPIC", "codeine", "general")]
    about.append(("CPIC", "clopidogrel", "neurovascular"))
    assert len({rule_id(*row, genes) for row in about}) == 4


def test_the_advice_is_no_part_of_it(before: Release, after: Release) -> None:
    """Thiopurine rows changed in 2026 for the same keys: same id, other advice."""
    old = {rule.id: rule for rule in before.rules}
    changed = [r for r in after.rules if r.id in old and r.actions != old[r.id].actions]
    assert {"azathioprine", "mercaptopurine", "thioguanine"} & {rule.drug for rule in changed}


def test_ids_are_unique_and_stay_the_same(before: Release, after: Release) -> None:
    for release in (before, after):
        assert len({rule.id for rule in release.rules}) == len(release.rules)
    ids = [
        {(r.source, r.drug, r.population, str(sorted(r.genes.items()))): r.id for r in x.rules} for x in (before, after)
    ]
    shared = ids[0].keys() & ids[1].keys()
    assert len(shared) > 1200
    assert all(ids[0][about] == ids[1][about] for about in shared)


def test_ids_are_readable_and_fixed() -> None:
    """Stored events refer to them: a change here would break every history."""
    assert rule_id("CPIC", "abacavir", "general", {"HLA-B": ["*57:01 positive"]}) == "CPIC:abacavir:HLA-B:1429d83fc6"
    both = {"TPMT": ["Poor Metabolizer"], "NUDT15": ["Poor Metabolizer"]}
    assert rule_id("FDA", "some drug", "general", both).startswith("FDA:some-drug:NUDT15+TPMT:")
