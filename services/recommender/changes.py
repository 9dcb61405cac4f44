"""What is different between two lists of recommendations, as a hospital needs to hear it. Pure.

Advice on one drug from one source for one population is compared. It has changed only where actions, dose, alternatives
or strength differ; another rule that says the same, a newer laboratory result or a better confidence is no change.
"""

from collections import defaultdict
from collections.abc import Sequence
from typing import Any

from schemas.recommendation import Change, ChangeKind, Recommendation

_Slot = tuple[str, str, str]


def compare(before: Sequence[Recommendation], after: Sequence[Recommendation], reason: str) -> tuple[Change, ...]:
    """Changes by priority, drug, source and population. ``reason`` says what came in; keys that differ are added."""
    old, new = _by_slot(before), _by_slot(after)
    found = [
        change
        for slot in sorted(old.keys() | new.keys())
        for change in _in_slot(old.get(slot, []), new.get(slot, []), reason)
    ]
    return tuple(sorted(found, key=_priority))


def _by_slot(recommendations: Sequence[Recommendation]) -> dict[_Slot, list[Recommendation]]:
    slots: dict[_Slot, list[Recommendation]] = defaultdict(list)
    for one in recommendations:
        slots[one.drug, one.source, one.population].append(one)
    return slots


def _in_slot(before: list[Recommendation], after: list[Recommendation], reason: str) -> list[Change]:
    gone, come = list(before), list(after)
    pairs = [(old, new) for old in before for new in after if _place(old) == _place(new)]
    for old, new in pairs:
        gone.remove(old)
        come.remove(new)
    for old in list(gone):
        if (same := next((new for new in come if _advice(new) == _advice(old)), None)) is not None:
            gone.remove(old)
            come.remove(same)
    paired = min(len(gone), len(come))
    differing = [(old, new) for old, new in pairs if _advice(old) != _advice(new)]
    differing += zip(gone[:paired], come[:paired], strict=True)
    return [
        *(_change(ChangeKind.CHANGED, old, new, reason) for old, new in differing),
        *(_change(ChangeKind.ISSUED, None, new, reason) for new in come[paired:]),
        *(_change(ChangeKind.WITHDRAWN, old, None, reason) for old in gone[paired:]),
    ]


def _place(one: Recommendation) -> tuple[Any, ...]:
    return (one.rule, one.genes)


def _advice(one: Recommendation) -> tuple[Any, ...]:
    return (one.actions, one.dose_change, one.dose_fixed, one.dose_limit, one.alternatives, one.strength)


def _change(kind: ChangeKind, before: Recommendation | None, after: Recommendation | None, reason: str) -> Change:
    about = after or before
    assert about is not None, "a change has a side"  # noqa: S101
    return Change(change=kind, rule=about.rule, before=before, after=after, reason=_reason(before, after, reason))


def _reason(before: Recommendation | None, after: Recommendation | None, reason: str) -> str:
    if before is None or after is None:
        return reason
    moved = [
        f"{gene} was {before.genes.get(gene, 'not considered')}, is {after.genes.get(gene, 'not considered')}"
        for gene in sorted(before.genes.keys() | after.genes.keys())
        if before.genes.get(gene) != after.genes.get(gene)
    ]
    return "; ".join([reason, *moved])


def _priority(change: Change) -> int:
    return min(side.priority for side in (change.before, change.after) if side is not None)
