"""Laws that calls obey whatever the sample."""

from collections.abc import Iterator
from dataclasses import replace
from itertools import combinations, product

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from knowledge.model import Ploidy
from schemas.genotype import Call
from services.genotyper.calling import call_gene
from services.genotyper.definition import GeneDefinition, NamedAllele
from services.genotyper.observation import Observation, SiteCall
from services.genotyper.options import Options
from tests.services.genotyper.literal import Seen
from tests.services.genotyper.samples import GENES, MATCHED, PANELS, Genotypes, call, drawn, row

STANDARD = [s for s in MATCHED if GENES[s].definition.matching == "standard" and s != "MT-RNR1"]
WITHOUT_CONVENTIONS = [s for s in STANDARD if not GENES[s].definition.unphased_priorities]
ALL = Options(candidates="all")
law = settings(max_examples=25, deadline=None)


def without_score(found: Call) -> set[tuple[str, ...]]:
    return {diplotype.alleles for diplotype in found.diplotypes}


@pytest.mark.parametrize("symbol", MATCHED)
@given(data=st.data())
@law
def test_strands_can_be_swapped(symbol: str, data: st.DataObject) -> None:
    genotypes = data.draw(drawn(symbol, half_calls=True))
    swapped = tuple(
        (column, seen if seen.second is None else replace(seen, first=seen.second, second=seen.first))
        for column, seen in genotypes.sample
    )
    # One strand order for all that is phased without a set, another for each phase set, and any for the rest.
    assert call(genotypes.gene, Genotypes(genotypes.gene, swapped).rows()) == call(genotypes.gene, genotypes.rows())


@pytest.mark.parametrize("symbol", MATCHED)
@given(data=st.data())
@law
def test_order_of_rows_does_not_matter(symbol: str, data: st.DataObject) -> None:
    genotypes = data.draw(drawn(symbol, half_calls=True))
    rows = genotypes.rows()
    shuffled = data.draw(st.permutations(rows)) if len(rows) < 60 else rows[::-1]
    assert call(genotypes.gene, shuffled, ALL) == call(genotypes.gene, rows, ALL)


@pytest.mark.parametrize("symbol", WITHOUT_CONVENTIONS)
@given(data=st.data())
@law
def test_phase_never_adds_candidates(symbol: str, data: st.DataObject) -> None:
    genotypes = data.draw(drawn(symbol))
    if any(seen.second is None for _, seen in genotypes.sample):
        return
    loose = tuple((column, replace(seen, phased=False, phase_set=None)) for column, seen in genotypes.sample)
    phased = tuple((column, replace(seen, phased=True, phase_set=None)) for column, seen in genotypes.sample)
    unphased = without_score(call(genotypes.gene, Genotypes(genotypes.gene, loose).rows(), ALL))
    partly = without_score(call(genotypes.gene, genotypes.rows(), ALL))
    wholly = without_score(call(genotypes.gene, Genotypes(genotypes.gene, phased).rows(), ALL))
    assert wholly <= unphased
    assert partly <= unphased


@pytest.mark.parametrize("symbol", WITHOUT_CONVENTIONS)
@given(data=st.data())
@law
def test_reference_row_for_a_missing_position_adds_no_candidate(symbol: str, data: st.DataObject) -> None:
    genotypes = data.draw(drawn(symbol))
    gene, seen = genotypes.gene, genotypes.by_column
    absent = [column for column in range(len(gene.definition.positions)) if column not in seen]
    if not absent or not seen:
        return
    column = data.draw(st.sampled_from(absent))
    ref = gene.definition.positions[column].ref
    haploid = all(entry.second is None for entry in seen.values())
    added = Seen(ref, None if haploid else ref, True)
    before = call(gene, genotypes.rows(), ALL)
    after = call(gene, Genotypes(gene, tuple(sorted({**seen, column: added}.items()))).rows(), ALL)
    # An allele that no seen position could show is no candidate before, and may be one once it can be shown.
    hidden = set(before.uncallable_haplotypes)
    names = {allele.name: allele.public_name or allele.name for allele in gene.definition.alleles}
    newly_shown = {names[name] for name in hidden - set(after.uncallable_haplotypes)}
    new = without_score(after) - without_score(before)
    assert all(newly_shown & set(pair) for pair in new)


MANY_WOBBLES = 8
"""Above so many positions with several possible bases in an allele, its strands are not all tried."""


def spellings(allele: NamedAllele) -> Iterator[dict[int, str]]:
    """The bases that an allele may have at its wobbles; of many wobbles all first ones, all last ones, and one each."""
    bases = [sorted(allele.cells[p]) for p in allele.wobbles]
    if len(bases) <= MANY_WOBBLES:
        chosen = list(product(*bases))
    else:
        lows = [each[0] for each in bases]
        single = [(*lows[:i], each[-1], *lows[i + 1 :]) for i, each in enumerate(bases)]
        chosen = [tuple(lows), tuple(each[-1] for each in bases), *single]
    for combination in chosen:
        yield dict(zip(allele.wobbles, combination, strict=True))


def strands_of(definition: GeneDefinition) -> dict[tuple[str, ...], str]:
    """The strands that a named allele can be, a wobble each way."""
    found: dict[tuple[str, ...], str] = {}
    for allele in definition.alleles:
        for chosen in spellings(allele):
            strand = tuple(
                chosen.get(i) or min(allele.cells.get(i, definition.reference_cells[i]))
                for i in range(len(definition.references))
            )
            assert found.setdefault(strand, allele.printed) == allele.printed, "two alleles that nothing tells apart"
    return found


def phased(definition: GeneDefinition, first: tuple[str, ...], second: tuple[str, ...]) -> Observation:
    sites = tuple(
        SiteCall(i, a, b, heterozygous=a != b, phased=True, phase_set=None)
        for i, (a, b) in enumerate(zip(first, second, strict=True))
        if (a, b) != (definition.references[i],) * 2
    )
    return Observation(seen=definition.everything, with_row=definition.everything, sites=sites, phased=True)


@pytest.mark.parametrize("symbol", MATCHED)
def test_no_strand_fits_two_alleles(symbol: str) -> None:
    definition = PANELS[symbol, False].genes[0]
    for first, second in combinations(definition.alleles, 2):
        assert first.printed == second.printed or any(
            first.cells.get(i, filling).isdisjoint(second.cells.get(i, filling))
            for i, filling in enumerate(definition.reference_cells)
        )


@pytest.mark.parametrize("symbol", [s for s in MATCHED if GENES[s].ploidy is not Ploidy.MITOCHONDRIAL])
def test_every_pair_of_defined_haplotypes_is_called_as_itself(symbol: str) -> None:
    """CYP2D6 is called so on request only, blind to copy number."""
    definition = PANELS[symbol, False].genes[0]
    strands = list(strands_of(definition).items())
    for step, (first, name) in enumerate(strands):
        # All pairs of small genes; of large ones each allele with itself, the reference and a spread of others.
        spread = [strands[step], strands[0], *strands[step :: 1 + len(strands) // 8]]
        others = strands[step:] if len(strands) <= 50 else spread
        for second, other in others:
            called = call_gene(definition, phased(definition, first, second), Options())
            assert sorted(called.diplotypes[0].alleles) == sorted((name, other))
            assert len(called.diplotypes) == 1


@pytest.mark.parametrize("symbol", [s for s in MATCHED if GENES[s].ploidy is Ploidy.MITOCHONDRIAL])
def test_every_defined_haplotype_of_one_copy_is_called_as_itself(symbol: str) -> None:
    definition = PANELS[symbol, False].genes[0]
    for strand, name in strands_of(definition).items():
        rows = [row(definition.gene, column, Seen(base, None, phased=False)) for column, base in enumerate(strand)]
        [called] = call(definition.gene, rows).diplotypes
        assert called.alleles == (name,)
