"""Phenotypes of gene calls under a knowledge release.

Reported scores go before reported phenotypes, and these before what the diplotype means; ambiguous calls keep one
phenotype for each diplotype. Reference: CPIC/ClinPGx diplotype-to-phenotype tables, as the release holds them.
"""

from collections.abc import Iterable, Mapping, Sequence

from knowledge.names import label, order
from knowledge.once import once
from knowledge.release import Release
from schemas.filled import unvalidated
from schemas.genotype import GeneCall
from schemas.phenotype import Phenotype
from schemas.warning import Warning
from services.phenotyper.lookup import Candidate, candidates, diplotype
from services.phenotyper.meaning import NOT_AVAILABLE, GeneMeaning, Meaning

MEMO_SIZE = 8192
"""Calls whose phenotypes are remembered: populations repeat themselves."""


class Assignment:
    """The phenotype rules of one release, prepared once."""

    def __init__(self, release: Release) -> None:
        self._meanings: Mapping[str, GeneMeaning] = {
            symbol: GeneMeaning(gene) for symbol, gene in release.genes.items()
        }
        self._assigned: dict[tuple[object, ...], tuple[Phenotype, ...]] = {}

    def assign(self, calls: Sequence[GeneCall]) -> tuple[Phenotype, ...]:
        """One phenotype for each distinct diplotype (or reported phenotype or score) of each called gene."""
        return tuple(p for call in calls if call.gene in self._meanings for p in self._remembered(call))

    def forget(self) -> None:
        """Empties the memo."""
        self._assigned.clear()

    def _remembered(self, call: GeneCall) -> tuple[Phenotype, ...]:
        """What was assigned to a call of the same content before; reports are too varied to be worth remembering."""
        if call.reported is not None:
            return tuple(_of_call(self._meanings[call.gene], call))
        diplotypes = tuple((diplotype.label, diplotype.alleles) for diplotype in call.diplotypes)
        variants = tuple(call.observed_variants.items())
        key = (call.gene, call.status, call.source, diplotypes, call.haplotypes, variants)
        found = self._assigned.get(key)
        if found is None:
            found = tuple(_of_call(self._meanings[call.gene], call))
            if len(self._assigned) >= MEMO_SIZE:
                del self._assigned[next(iter(self._assigned))]
            self._assigned[key] = found
        return found


@once
def _prepared(release: Release) -> Assignment:
    return Assignment(release)


def assign(release: Release, calls: Sequence[GeneCall]) -> tuple[Phenotype, ...]:
    """The phenotypes of ``calls`` in their order. Same arguments, same result; nothing else enters."""
    return _prepared(release).assign(calls)


def _of_call(meaning: GeneMeaning, call: GeneCall) -> Iterable[Phenotype]:
    for candidate in candidates(meaning, call):
        printed = diplotype(meaning, call, candidate)
        name = printed.label if printed else _label(meaning, candidate.alleles)
        if meaning.has_presence:
            yield from _presence(meaning, candidate, name)
        else:
            yield _phenotype(meaning, candidate, name)


def _phenotype(meaning: GeneMeaning, candidate: Candidate, name: str | None) -> Phenotype:
    derived = meaning.of(candidate.alleles) if candidate.alleles else None
    phenotype, score, key = _precedence(meaning, candidate, derived)
    return unvalidated(
        Phenotype,
        gene=meaning.gene.symbol,
        diplotype=name,
        alleles=candidate.alleles,
        functions=derived.functions if derived else (),
        phenotype=phenotype,
        activity_score=score,
        lookup_key=key,
        inferred=candidate.inference is not None,
        inference=candidate.inference,
        term=derived.term if derived else None,
        reported=candidate.phenotype is not None or candidate.score is not None,
        warnings=_contradictions(meaning, candidate, derived),
    )


def _precedence(
    meaning: GeneMeaning, candidate: Candidate, derived: Meaning | None
) -> tuple[str | None, str | None, str | tuple[str, ...] | None]:
    """Phenotype, score and key, of what was reported and what the diplotype means."""
    if not meaning.has_table:
        return candidate.phenotype, None, None
    if not meaning.has_scores:
        phenotype = candidate.phenotype or (derived.phenotype if derived else NOT_AVAILABLE)
        key = candidate.phenotype or (derived.key if derived else NOT_AVAILABLE)
        return phenotype, None, key
    if candidate.score is not None:
        phenotype = candidate.phenotype or meaning.phenotype_of_score(candidate.score)
        if candidate.score != NOT_AVAILABLE:
            return phenotype, candidate.score, candidate.score
    elif candidate.phenotype is None:
        return (
            (derived.phenotype, derived.score, derived.key)
            if derived
            else (meaning.no_score, NOT_AVAILABLE, NOT_AVAILABLE)
        )
    stands_for = meaning.scores_of_phenotype(candidate.phenotype or meaning.no_score)
    return candidate.phenotype or meaning.no_score, NOT_AVAILABLE, stands_for if len(stands_for) > 1 else stands_for[0]


def _contradictions(meaning: GeneMeaning, candidate: Candidate, derived: Meaning | None) -> tuple[Warning, ...]:
    """Where the laboratory's phenotype or score is not what its score or diplotype means."""
    found = []
    by_score = candidate.score is not None and meaning.has_scores
    expected = meaning.phenotype_of_score(candidate.score or "") if by_score else derived.phenotype if derived else None
    if candidate.phenotype and expected and candidate.phenotype != expected:
        basis = "score" if by_score else "diplotype"
        found.append(_warning("reported-phenotype-differs", f"the reported {basis} means {expected}"))
    if by_score and derived and derived.score != candidate.score:
        found.append(_warning("reported-score-differs", f"the reported diplotype has the score {derived.score}"))
    return tuple(found)


def _warning(code: str, message: str) -> Warning:
    return Warning(code=code, message=message)


def _presence(meaning: GeneMeaning, candidate: Candidate, name: str | None) -> Iterable[Phenotype]:
    """One phenotype for each risk-allele term; a term that the laboratory gave goes before the one from typing."""
    given = candidate.phenotype
    terms = meaning.presence_terms(candidate.alleles) if candidate.alleles else ()
    about = given.split(" ")[0] if given else None
    if given and not any(term.split(" ")[0] == about for term in terms):
        terms = (*terms, given)
    for term in terms:
        replaced = given is not None and term.split(" ")[0] == about
        shown = given if given is not None and replaced else term
        warnings = (
            (_warning("reported-phenotype-differs", f"the reported alleles mean {term}"),) if shown != term else ()
        )
        yield unvalidated(
            Phenotype,
            gene=meaning.gene.symbol,
            diplotype=name,
            alleles=candidate.alleles,
            functions=tuple(None for _ in candidate.alleles),
            phenotype=shown,
            lookup_key=shown,
            reported=replaced,
            warnings=warnings,
        )


def _label(meaning: GeneMeaning, alleles: Sequence[str]) -> str | None:
    return label(meaning.gene, sorted(alleles, key=order)) if alleles else None
