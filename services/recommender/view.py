"""What holds for a patient now, small enough to be kept for everybody and read in one go. Pure.

A lookup is all that advice sees of one gene: its phenotypes, without the results that they come from. Equal lookups are
kept once, so that a patient is a list of numbers, and a population a list of such lists.
"""

import hashlib
import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, NamedTuple

import orjson

from schemas.phenotype import Conversion, EffectivePhenotype, Phenotype
from services.recommender.context.current import Statement, current
from services.recommender.priority import Priority
from services.recommender.state import State


class Effective(NamedTuple):
    """Of a phenotype under interacting drugs, what is looked up."""

    outcome: str
    phenotype: str | None
    activity_score: str | None
    lookup_key: str | tuple[str, ...] | None


class Seen(NamedTuple):
    """Of one phenotype, what advice sees."""

    diplotype: str | None
    alleles: tuple[str, ...]
    phenotype: str | None
    activity_score: str | None
    lookup_key: str | tuple[str, ...] | None
    effective: Effective | None


class Lookup(NamedTuple):
    """One gene as it is looked up: several phenotypes where the call is ambiguous, or for several risk alleles."""

    gene: str
    seen: tuple[Seen, ...]

    @property
    def content(self) -> str:
        """As it is stored."""
        return json.dumps(self.seen, ensure_ascii=False, separators=(",", ":"))

    @property
    def sha256(self) -> bytes:
        return hashlib.sha256(f"{self.gene}\n{self.content}".encode()).digest()

    @property
    def phenotypes(self) -> tuple[Phenotype, ...]:
        """As advice is asked with them."""
        return _phenotypes(self)


class Medicine(NamedTuple):
    """A drug that is taken, as it was stated."""

    rxnorm: str | None
    atc: str | None
    name: str | None

    @property
    def content(self) -> str:
        """As it is stored."""
        return json.dumps(self, ensure_ascii=False, separators=(",", ":"))

    @property
    def sha256(self) -> bytes:
        return hashlib.sha256(self.content.encode()).digest()


@dataclass(frozen=True, slots=True)
class View:
    """What holds for one patient now."""

    lookups: tuple[Lookup, ...]
    """By gene; none for a gene without a phenotype."""
    medications: tuple[Medicine, ...] | None
    """None where no context is known."""
    against: tuple[str, ...]
    """Drugs taken although advice of some source is to avoid them, or to use another."""


def view(state: State, statements: Iterable[Statement]) -> View:
    """The view of a state and the statements that it rests on."""
    context = current(statements)
    taken = None if context is None else tuple(Medicine(m.rxnorm, m.atc, m.name) for m in context.medications)
    return View(lookups(state.phenotypes), taken, against(state))


def lookups(phenotypes: Iterable[Phenotype]) -> tuple[Lookup, ...]:
    """What advice sees of each gene."""
    by_gene: dict[str, tuple[Seen, ...]] = {}
    for one in phenotypes:
        seen = Seen(
            one.diplotype,
            one.alleles,
            one.phenotype,
            one.activity_score,
            one.lookup_key,
            None if one.effective is None else _effective(one.effective),
        )
        by_gene[one.gene] = (*by_gene.get(one.gene, ()), seen)
    return tuple(Lookup(gene, seen) for gene, seen in sorted(by_gene.items()))


def against(state: State) -> tuple[str, ...]:
    """The drugs that are taken now although there is advice to avoid them."""
    if not state.medications:
        return ()
    advised = {one.drug for one in state.recommendations if one.current_medication and one.priority == Priority.AVOID}
    return tuple(sorted(advised))


def stored_lookup(gene: str, content: str) -> Lookup:
    """A lookup out of the store."""
    return Lookup(gene, tuple(_stored_seen(seen) for seen in orjson.loads(content)))


def stored_medicine(content: str) -> Medicine:
    """A medication out of the store."""
    return Medicine(*orjson.loads(content))


def _stored_seen(seen: Sequence[Any]) -> Seen:
    diplotype, alleles, phenotype, score, key, effective = seen
    converted = None
    if effective is not None:
        outcome, shown, effective_score, effective_key = effective
        converted = Effective(outcome, shown, effective_score, _key(effective_key))
    return Seen(diplotype, tuple(alleles), phenotype, score, _key(key), converted)


def _key(stored: Any) -> str | tuple[str, ...] | None:
    return tuple(stored) if isinstance(stored, list) else stored


def _effective(one: EffectivePhenotype) -> Effective:
    return Effective(one.outcome.value, one.phenotype, one.activity_score, one.lookup_key)


@lru_cache(maxsize=16384)
def _phenotypes(lookup: Lookup) -> tuple[Phenotype, ...]:
    return tuple(
        Phenotype(
            gene=lookup.gene,
            diplotype=one.diplotype,
            alleles=one.alleles,
            functions=(),
            phenotype=one.phenotype,
            activity_score=one.activity_score,
            lookup_key=one.lookup_key,
            effective=None if one.effective is None else _restored(one.effective),
        )
        for one in lookup.seen
    )


def _restored(one: Effective) -> EffectivePhenotype:
    return EffectivePhenotype(
        outcome=next(outcome for outcome in Conversion if outcome.value == one.outcome),
        phenotype=one.phenotype,
        activity_score=one.activity_score,
        lookup_key=one.lookup_key,
        cause=(),
        method="",
        evidence="",
        sources=(),
    )
