"""Which diplotypes a call is looked up with: what was called, or what has to be derived from it.

References: ClinPGx/PharmCAT recommendation diplotypes of DPYD and RYR1 (lowest function), of SLCO1B1 known by rs4149056
alone, and of CYP2D6 copy numbers.
"""

import re
from collections.abc import Iterable, Sequence
from typing import NamedTuple

from knowledge.model import Matching, Ranking
from knowledge.names import Order, components, is_partial, order
from schemas.genotype import CallStatus, Diplotype, GeneCall, ReportedCall
from schemas.phenotype import Inference
from services.phenotyper import reported, scores
from services.phenotyper.meaning import GeneMeaning

_COPIES = re.compile(r"(?P<of>.+)[xX](?P<count>\d+)")
_AT_LEAST = "≥"
_UNKNOWN_VALUE = 2.0
"""What an allele without activity value counts in the order of diplotypes."""


class Candidate(NamedTuple):
    """Something to look up: alleles (none where only phenotype or score were reported), what the laboratory said."""

    alleles: tuple[str, ...]
    inference: Inference | None = None
    phenotype: str | None = None
    score: str | None = None


def candidates(meaning: GeneMeaning, call: GeneCall) -> tuple[Candidate, ...]:
    """What to look up for a call, without repetition; nothing for a gene without a call."""
    return tuple(dict.fromkeys(_candidates(meaning, call)))


def _candidates(meaning: GeneMeaning, call: GeneCall) -> Iterable[Candidate]:
    if call.status is CallStatus.REPORTED:
        return _from_report(meaning, call)
    if call.diplotypes:
        return _from_diplotypes(meaning, [d.alleles for d in call.diplotypes])
    if call.haplotypes and _is_lowest_function(meaning):
        return [_two_worst(meaning, call.haplotypes)]
    if call.source != "reported":
        return _from_single_variant(meaning, call)
    return []


def _is_lowest_function(meaning: GeneMeaning) -> bool:
    return meaning.gene.definition.matching is Matching.LOWEST_FUNCTION


def _from_diplotypes(meaning: GeneMeaning, diplotypes: Sequence[tuple[str, ...]]) -> list[Candidate]:
    if _is_lowest_function(meaning):
        return [_worst_diplotype(meaning, diplotypes)]
    return [_with_known_copies(meaning, alleles) for alleles in diplotypes]


def _from_report(meaning: GeneMeaning, call: GeneCall) -> list[Candidate]:
    lines = _lines(call)
    plain = [alleles for alleles, line in lines if alleles and not (line.phenotype or line.activity_score)]
    found = _from_diplotypes(meaning, plain) if plain else []
    for alleles, line in lines:
        phenotype = reported.phenotype(meaning.gene.symbol, line.phenotype)
        score = scores.normalise(line.activity_score) if line.activity_score and line.activity_score.strip() else None
        if phenotype or score:
            base = _from_diplotypes(meaning, [alleles])[0] if alleles else Candidate(())
            spelt = meaning.spelt(phenotype) if phenotype else None
            found.append(Candidate(base.alleles, base.inference, spelt, score))
    return found


def _lines(call: GeneCall) -> list[tuple[tuple[str, ...], ReportedCall]]:
    """Each reported line with the alleles read from it (none where none were given or could be read)."""
    return [(line.alleles or (), line) for line in call.reported or ()]


def _with_known_copies(meaning: GeneMeaning, alleles: tuple[str, ...]) -> Candidate:
    """The diplotype; a copy count without a record becomes the record for that many or more (``*1x7``: ``*1x≥3``)."""
    folded = tuple(_fold(meaning, name) for name in alleles)
    return Candidate(folded, Inference.COPY_NUMBER) if folded != alleles else Candidate(alleles)


def _fold(meaning: GeneMeaning, name: str) -> str:
    if meaning.allele(name) is not None or (copied := _COPIES.fullmatch(name)) is None:
        return name
    for allele in meaning.gene.definition.alleles:
        if allele.copies_of == copied["of"] and allele.copies is not None and allele.copies.startswith(_AT_LEAST):
            return allele.name if int(copied["count"]) >= int(allele.copies.removeprefix(_AT_LEAST)) else name
    return name


def _worst_diplotype(meaning: GeneMeaning, diplotypes: Sequence[tuple[str, ...]]) -> Candidate:
    """Of each strand the allele of lowest function, of all such pairs the lowest one."""
    strands = [[_named(meaning, allele) for allele in alleles] for alleles in diplotypes]
    pairs = [
        tuple(sorted((min(strand, key=lambda name: _badness(meaning, name)) for strand in pair), key=order))
        for pair in strands
    ]
    derived = len(diplotypes) > 1 or any(len(components(name)) > 1 for alleles in diplotypes for name in alleles)
    worst = min(pairs, key=lambda pair: _pair_badness(meaning, pair))
    return Candidate(worst, Inference.LOWEST_FUNCTION if derived else None)


def _named(meaning: GeneMeaning, name: str) -> list[str]:
    """The named alleles on a strand; the reference where only unexplained positions were found."""
    named = [part for part in components(name) if not is_partial(part)]
    return named or [meaning.gene.definition.reference or name]


def _two_worst(meaning: GeneMeaning, haplotypes: Sequence[str]) -> Candidate:
    """Of alleles found without phase the two of lowest function, as if on different strands."""
    ranked = sorted(haplotypes, key=lambda name: _badness(meaning, name))
    pair = tuple(sorted(ranked[:2], key=order))
    return Candidate(pair, Inference.LOWEST_FUNCTION if len(haplotypes) > 2 else None)


def _badness(meaning: GeneMeaning, name: str) -> tuple[float, Order]:
    """Sort key of alleles, lowest function first; one without activity value counts as the lowest."""
    allele = meaning.allele(name)
    if meaning.gene.ranking is Ranking.FUNCTION:
        worst = allele is not None and allele.function == meaning.gene.worst_function
        return (0.0 if worst else 1.0, order(name))
    value = allele.activity_value if allele else None
    return (-1.0 if value is None else float(scores.number(value)), order(name))


def _pair_badness(meaning: GeneMeaning, pair: Sequence[str]) -> tuple[float, tuple[Order, ...]]:
    ranks = [_badness(meaning, name)[0] for name in pair]
    return (sum(_UNKNOWN_VALUE if rank < 0 else rank for rank in ranks), tuple(order(name) for name in pair))


def _from_single_variant(meaning: GeneMeaning, call: GeneCall) -> list[Candidate]:
    """Where no diplotype could be called: the alleles that the gene's decisive variant stands for, if it was read."""
    single = meaning.gene.definition.single_variant
    if single is None:
        return []
    rsids = {p.rsid for p in meaning.gene.definition.positions if p.pos == single.pos and p.rsid}
    names = (*sorted(rsids), f"{meaning.gene.chromosome}:{single.pos}")
    observed = next((call.observed_variants[name] for name in names if name in call.observed_variants), None)
    bases = re.split(r"[/|]", observed) if observed else []
    if len(bases) != 2 or not all(base in single.alleles for base in bases):
        return []
    return [Candidate(tuple(sorted((single.alleles[base] for base in bases), key=order)), Inference.SINGLE_VARIANT)]


def diplotype(meaning: GeneMeaning, call: GeneCall, candidate: Candidate) -> Diplotype | None:
    """The called diplotype that a candidate stands for unchanged; None where it was derived."""
    wanted = sorted(candidate.alleles)
    return next((d for d in call.diplotypes if sorted(d.alleles) == wanted), None)
