"""What is different between two lists of recommendations, as a hospital needs to hear it. Pure.

Advice on one drug from one source for one population is compared. It has changed only where actions, dose (an estimated
one included), alternatives or strength differ; another rule that says the same, a newer laboratory result or a better
confidence is no change.
"""

from collections import defaultdict
from collections.abc import Sequence
from typing import Any

from schemas.filled import filled
from schemas.recommendation import Change, ChangeKind, Recommendation

_Slot = tuple[str, str, str]
_GIVEN = set(Change.model_fields)


def compare(before: Sequence[Recommendation], after: Sequence[Recommendation], reason: str) -> tuple[Change, ...]:
    """Changes by priority, drug, source and population. ``reason`` says what came in; keys that differ are added."""
    if not before:
        return tuple([_issued(one, reason) for one in sorted(after, key=_place)])
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
    if not before:
        return [_issued(new, reason) for new in after]
    if len(before) == len(after) == 1:
        return [] if _advice(before[0]) == _advice(after[0]) else [_changed(before[0], after[0], reason)]
    gone, come = list(before), list(after)
    pairs = [(old, new) for old in before for new in after if old.rule == new.rule]
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
        *(_changed(old, new, reason) for old, new in differing),
        *(_issued(new, reason) for new in come[paired:]),
        *(_withdrawn(old, reason) for old in gone[paired:]),
    ]


def _advice(one: Recommendation) -> tuple[Any, ...]:
    estimate = None if one.dose_estimate is None else (one.dose_estimate.basis, one.dose_estimate.weekly_mg)
    return (one.actions, one.dose_change, one.dose_fixed, one.dose_limit, one.alternatives, one.strength, estimate)


def _issued(new: Recommendation, reason: str) -> Change:
    return _made(ChangeKind.ISSUED, new.rule, None, new, reason)


def _withdrawn(old: Recommendation, reason: str) -> Change:
    return _made(ChangeKind.WITHDRAWN, old.rule, old, None, reason)


def _changed(old: Recommendation, new: Recommendation, reason: str) -> Change:
    moved = [
        f"{gene} was {old.genes.get(gene, 'not considered')}, is {new.genes.get(gene, 'not considered')}"
        for gene in sorted(old.genes.keys() | new.genes.keys())
        if old.genes.get(gene) != new.genes.get(gene)
    ]
    return _made(ChangeKind.CHANGED, new.rule, old, new, "; ".join([reason, *moved]))


def _made(
    change: ChangeKind, rule: str, before: Recommendation | None, after: Recommendation | None, reason: str
) -> Change:
    fields = {"change": change, "rule": rule, "before": before, "after": after, "reason": reason}
    return filled(Change, fields, _GIVEN)


def _place(one: Recommendation) -> tuple[int, str, str, str]:
    return (one.priority, one.drug, one.source, one.population)


def _priority(change: Change) -> int:
    before, after = change.before, change.after
    if before is None or after is None:
        one = before or after
        return one.priority if one is not None else 0
    return min(before.priority, after.priority)
