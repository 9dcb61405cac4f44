"""What another release changes for patients, by their lookups alone: who has to be evaluated again, and what to expect.

Whether advice on one drug of one source for one population changes is a function of the lookups of the genes in its
rows. Populations have few combinations of these, so that each is asked once. Pure.

Clinical context makes advice depend on more: drugs act on enzymes, and one drug's dose is calculated. Where the
releases agree in all of that, and no drug acts on the genes of a row, it says to a patient with context what it says
to one without. Where they do not, lookups cannot tell, and that is the answer.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from knowledge.model import Rule
from knowledge.release import Release
from schemas.recommendation import Change, Recommendation
from services.recommender.changes import compare
from services.recommender.context.phenoconversion import phenoconversion
from services.recommender.dosing.flow import dose_flow
from services.recommender.guidance import guide
from services.recommender.view import Lookup

Slot = tuple[str, str, str]
"""Drug, source and population."""

_KEPT = 500_000
"""Combinations whose answers are remembered."""


@dataclass(frozen=True, slots=True)
class _Group:
    """Slots by the same genes. Their rows or the reading of their keys differ: equal lookups may give other advice."""

    genes: tuple[str, ...]
    slots: frozenset[Slot]
    by_context: bool
    """What a patient takes enters into the advice."""


class Impact:
    """What differs between two releases for patients."""

    def __init__(self, before: Release, after: Release) -> None:
        self._before = before
        self._after = after
        every = before.genes.keys() | after.genes.keys()
        self.genes = frozenset(gene for gene in every if before.genes.get(gene) != after.genes.get(gene))
        """Those whose calls and phenotypes may be others."""
        converted = phenoconversion(before).genes | phenoconversion(after).genes
        self._same_context = _same_context(before, after) and self.genes.isdisjoint(converted)
        calculated = {dose_flow(before).drug, dose_flow(after).drug}
        self._groups = tuple(
            _Group(genes, frozenset(slots), not converted.isdisjoint(genes) or any(s[0] in calculated for s in slots))
            for genes, slots in _differing(before, after, self.genes).items()
        )
        self.asked = self.genes.union(*(group.genes for group in self._groups))
        """Genes whose lookups ``changes`` looks at."""
        self._known: dict[tuple[int, tuple[Lookup | None, ...], tuple[Lookup | None, ...]], tuple[Change, ...]] = {}

    def changes(
        self, old: Mapping[str, Lookup], new: Mapping[str, Lookup], *, in_context: bool = False
    ) -> tuple[Change, ...] | None:
        """How advice changes for a patient with these lookups, by gene, under the releases. Without provenance.

        ``in_context``: clinical context is known. None: lookups do not tell.
        """
        if in_context and not self._same_context:
            return None
        found: list[Change] = []
        for number, group in enumerate(self._groups):
            were, are = tuple(map(old.get, group.genes)), tuple(map(new.get, group.genes))
            if any(were) or any(are):
                if in_context and group.by_context:
                    return None
                found += self._of_group(number, were, are)
        return tuple(found)

    def _of_group(
        self, number: int, were: tuple[Lookup | None, ...], are: tuple[Lookup | None, ...]
    ) -> tuple[Change, ...]:
        key = (number, were, are)
        known = self._known.get(key)
        if known is None:
            if len(self._known) > _KEPT:
                self._known.clear()
            slots = self._groups[number].slots
            known = compare(_advice(self._before, slots, were), _advice(self._after, slots, are), "")
            self._known[key] = known
        return known


def _same_context(before: Release, after: Release) -> bool:
    """Whether context says the same under both: what is taken, what it does to enzymes, and the calculated dose."""
    return (
        before.drugs == after.drugs
        and phenoconversion(before).converts_as(phenoconversion(after))
        and dose_flow(before).calculates_as(dose_flow(after))
    )


def _advice(release: Release, slots: frozenset[Slot], lookups: Iterable[Lookup | None]) -> list[Recommendation]:
    phenotypes = [phenotype for one in lookups if one is not None for phenotype in one.phenotypes]
    return [one for one in guide(release, (), phenotypes).recommendations if _slot(one) in slots]


def _slot(one: Recommendation | Rule) -> Slot:
    return (one.drug, one.source, one.population)


def _differing(before: Release, after: Release, changed: frozenset[str]) -> Mapping[tuple[str, ...], set[Slot]]:
    """The slots whose rows differ or have a gene that does, by the genes of their rows."""
    rows: tuple[dict[Slot, list[Rule]], dict[Slot, list[Rule]]] = ({}, {})
    genes: dict[Slot, set[str]] = {}
    for release, by_slot in zip((before, after), rows, strict=True):
        for rule in release.rules:
            by_slot.setdefault(_slot(rule), []).append(rule)
            genes.setdefault(_slot(rule), set()).update(rule.genes)
    differing: dict[tuple[str, ...], set[Slot]] = {}
    for slot, of_slot in sorted(genes.items()):
        if of_slot & changed or _meaning(rows[0].get(slot, [])) != _meaning(rows[1].get(slot, [])):
            differing.setdefault(tuple(sorted(of_slot)), set()).add(slot)
    return differing


def _meaning(rules: Iterable[Rule]) -> list[str]:
    """All of the rows that can make advice another one, whatever their order."""
    kept = {
        "genes", "any_gene", "actions", "dose_change", "dose_fixed", "dose_limit", "alternatives", "strength",
    }  # fmt: skip
    return sorted(rule.model_dump_json(include=kept) for rule in rules)
