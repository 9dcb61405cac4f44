"""The fast matcher gives what the rules, written down literally, give."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from schemas.genotype import Call
from services.genotyper.options import Options
from tests.services.genotyper.literal import Literal, possible_strands
from tests.services.genotyper.samples import GENES, MATCHED, call, drawn

STANDARD = [s for s in MATCHED if GENES[s].definition.matching == "standard" and s != "MT-RNR1"]
LOWEST = [s for s in MATCHED if GENES[s].definition.matching == "lowest-function"]
LITERAL = {symbol: Literal(GENES[symbol]) for symbol in MATCHED}

fast = settings(max_examples=40, deadline=None)


def answer(call: Call) -> list[tuple[tuple[str, ...], int | None]]:
    return [(diplotype.alleles, diplotype.score) for diplotype in call.diplotypes]


@pytest.mark.parametrize("symbol", STANDARD)
@given(data=st.data())
@fast
def test_standard_matching(symbol: str, data: st.DataObject) -> None:
    genotypes = data.draw(drawn(symbol))
    if not genotypes.sample:
        return
    ours = call(genotypes.gene, genotypes.rows(), Options(candidates="all"))
    theirs = LITERAL[symbol].standard(genotypes.by_column)
    if any(warning.code == "unphased-priority" for warning in ours.warnings):
        assert set(answer(ours)) <= set(theirs)
        assert len(theirs) > 1
    else:
        assert answer(ours) == theirs
        top = call(genotypes.gene, genotypes.rows())
        if not GENES[symbol].definition.unphased_priorities:
            assert answer(top) == [entry for entry in theirs if entry[1] == theirs[0][1]]


@pytest.mark.parametrize("symbol", STANDARD)
@given(data=st.data())
@fast
def test_combinations(symbol: str, data: st.DataObject) -> None:
    genotypes = data.draw(drawn(symbol, half_calls=True, max_free=4))
    if not genotypes.sample:
        return
    ours = call(genotypes.gene, genotypes.rows(), Options(combinations=True))
    half = any("." in (seen.first, seen.second) for _, seen in genotypes.sample)
    if ours.reason == "unexpected-ploidy" or (not half and LITERAL[symbol].standard(genotypes.by_column)):
        return
    assert sorted(answer(ours)) == sorted(LITERAL[symbol].combinations(genotypes.by_column))
    scores = [diplotype.score or 0 for diplotype in ours.diplotypes]
    assert scores == sorted(scores, reverse=True)


@pytest.mark.parametrize("symbol", LOWEST)
@given(data=st.data())
@settings(max_examples=60, deadline=None)
def test_genes_of_lowest_function_without_proxy(symbol: str, data: st.DataObject) -> None:
    genotypes = data.draw(drawn(symbol, max_free=4))
    gene, sample = genotypes.gene, genotypes.by_column
    if not sample or touches_proxy(genotypes):
        return
    ours = call(gene, genotypes.rows())
    literal = LITERAL[symbol]
    strands = possible_strands(sample)
    sets = any(seen.phased and seen.phase_set is not None for seen in sample.values())
    exact = literal.standard(sample) if len(strands) <= 2 else []
    if exact:
        assert answer(ours) == exact
    elif len(strands) <= 2 or sets:
        assert sorted(answer(ours)) == sorted(literal.combinations(sample))
    else:
        assert not ours.diplotypes
        assert list(ours.haplotypes) == literal.listed(sample)


def touches_proxy(genotypes) -> bool:  # type: ignore[no-untyped-def]
    """Whether the sample has a variant at the proxied pair, or lacks one of the two."""
    proxy = genotypes.gene.definition.proxy
    if proxy is None:
        return False
    positions = genotypes.gene.definition.positions
    for column, position in enumerate(positions):
        if position.pos in (proxy.causal_pos, proxy.proxy_pos):
            seen = genotypes.by_column.get(column)
            if seen is None or {seen.first, seen.second} != {position.ref}:
                return True
    return False
