"""What another release changes for patients, by their lookups alone: who has to be evaluated again, and what to expect.

Whether advice on one drug of one source for one population changes is a function of the lookups of the genes in its
rows. Populations have few combinations of these, so that each is asked once. Pure. It speaks of patients without
clinical context: interacting drugs and dose equations know no such shortcut.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from knowledge.model import Rule
from knowledge.release import Release
from schemas.recommendation import Change, Recommendation
from services.recommender.changes import compare
from services.recommender.guidance import guide
from services.recommender.view import Lookup

Slot = tuple[str, str, str]
"""Drug, source and population."""

_KEPT = 500_000
"""Combinations whose answers are remembered."""


@dataclass(frozen=True, slots=True)
class _Group:
    """Slots by the same genes."""

    genes: tuple[str, ...]
    slots: frozenset[Slot]
    differ: bool
    """Rows or the reading of keys are others: equal lookups may give other advice."""


class Impact:
    """What differs between two releases for patients. ``genes``: those whose calls and phenotypes may be others."""

    def __init__(self, before: Release, after: Release) -> None:
        self._before = before
        self._after = after
        every = before.genes.keys() | after.genes.keys()
        self.genes = frozenset(gene for gene in every if before.genes.get(gene) != after.genes.get(gene))
        self._groups = _groups(before, after, self.genes)
        self._known: dict[tuple[int, tuple[Lookup | None, ...], tuple[Lookup | None, ...]], tuple[Change, ...]] = {}

    def changes(self, old: Mapping[str, Lookup], new: Mapping[str, Lookup]) -> tuple[Change, ...]:
        """How advice changes for a patient with these lookups, by gene, under the releases. Without provenance."""
        found: list[Change] = []
        for number, group in enumerate(self._groups):
            key = (number, tuple(map(old.get, group.genes)), tuple(map(new.get, group.genes)))
            if (group.differ or key[1] != key[2]) and (any(key[1]) or any(key[2])):
                known = self._known.get(key)
                if known is None:
                    if len(self._known) > _KEPT:
                        self._known.clear()
                    known = self._known[key] = self._asked(group, key[1], key[2])
                found += known
        return tuple(found)

    def _asked(self, group: _Group, old: Iterable[Lookup | None], new: Iterable[Lookup | None]) -> tuple[Change, ...]:
        return compare(_advice(self._before, group, old), _advice(self._after, group, new), "")


def _advice(release: Release, group: _Group, lookups: Iterable[Lookup | None]) -> list[Recommendation]:
    phenotypes = [phenotype for one in lookups if one is not None for phenotype in one.phenotypes]
    return [one for one in guide(release, (), phenotypes).recommendations if _slot(one) in group.slots]


def _slot(one: Recommendation | Rule) -> Slot:
    return (one.drug, one.source, one.population)


def _groups(before: Release, after: Release, changed: frozenset[str]) -> tuple[_Group, ...]:
    rows: tuple[dict[Slot, list[Rule]], dict[Slot, list[Rule]]] = ({}, {})
    genes: dict[Slot, set[str]] = {}
    for release, by_slot in zip((before, after), rows, strict=True):
        for rule in release.rules:
            by_slot.setdefault(_slot(rule), []).append(rule)
            genes.setdefault(_slot(rule), set()).update(rule.genes)
    grouped: dict[tuple[tuple[str, ...], bool], set[Slot]] = {}
    for slot, of_slot in genes.items():
        differ = bool(of_slot & changed) or _meaning(rows[0].get(slot, [])) != _meaning(rows[1].get(slot, []))
        grouped.setdefault((tuple(sorted(of_slot)), differ), set()).add(slot)
    return tuple(_Group(of, frozenset(slots), differ) for (of, differ), slots in sorted(grouped.items()))


def _meaning(rules: Iterable[Rule]) -> list[str]:
    """All of the rows that can make advice another one, whatever their order."""
    kept = {
        "genes", "any_gene", "actions", "dose_change", "dose_fixed", "dose_limit", "alternatives", "strength",
    }  # fmt: skip
    return sorted(rule.model_dump_json(include=kept) for rule in rules)
