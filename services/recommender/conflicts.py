"""Where guideline sources contradict each other about the same drug and the same result."""

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from itertools import combinations

from knowledge.model import Rule
from services.recommender.keys import State


class Stance(StrEnum):
    """What advice amounts to."""

    AGAINST = "against the drug"
    MORE = "higher dose"
    LESS = "lower dose"
    AS_USUAL = "as usual"


_OF_ACTION = {
    "contraindicated": Stance.AGAINST,
    "avoid": Stance.AGAINST,
    "use-alternative": Stance.AGAINST,
    "increase-dose": Stance.MORE,
    "decrease-dose": Stance.LESS,
    "limit-dose": Stance.LESS,
    "standard-dosing": Stance.AS_USUAL,
    "no-action-needed": Stance.AS_USUAL,
}
_OPPOSED = (frozenset({Stance.AGAINST, Stance.AS_USUAL}), frozenset({Stance.MORE, Stance.LESS}))
_EVERYONE = "general"
_RISK_ALLELE = re.compile(r"(\*\S+) (?:positive|negative)")

Subject = dict[str, tuple[State, str | None]]
"""By gene: its state, and the risk allele in question where a gene has several."""


@dataclass(frozen=True, slots=True)
class Position:
    """A row that fired, and what it was about."""

    rule: Rule
    stances: frozenset[Stance]
    combinations: tuple[Subject, ...]
    """What every combination of the patient's states that met it was about: the genes with a result."""


def subject(states: Iterable[State], keys: Mapping[str, str]) -> Subject:
    """What advice met by these states under these keys is about."""
    found: Subject = {}
    for state in states:
        risk = _RISK_ALLELE.fullmatch(keys[state.gene])
        found[state.gene] = (state, risk[1] if risk else None)
    return found


def stances(rule: Rule) -> frozenset[Stance]:
    return frozenset(_OF_ACTION[action] for action in rule.actions if action in _OF_ACTION)


def contested(rules: Iterable[Rule]) -> frozenset[str]:
    """The drugs about which sources hold opposed stances in some of their rows."""
    taken: dict[str, dict[str, set[Stance]]] = defaultdict(lambda: defaultdict(set))
    for rule in rules:
        taken[rule.drug][rule.source] |= stances(rule)
    return frozenset(
        drug
        for drug, sources in taken.items()
        if any(may_conflict([frozenset(a), frozenset(b)]) for a, b in combinations(sources.values(), 2))
    )


def may_conflict(of_drug: Sequence[frozenset[Stance]]) -> bool:
    """Whether advice on one drug holds opposed stances at all."""
    taken: frozenset[Stance] = of_drug[0].union(*of_drug[1:])
    return _OPPOSED[0] <= taken or _OPPOSED[1] <= taken


def conflicts(positions: Sequence[Position]) -> dict[int, list[int]]:
    """By index into the positions on one drug: the indices of other sources' advice that contradicts it.

    Advice contradicts other advice when one is against the drug and the other leaves all as usual, or one asks for more
    and the other for less. Not when the other source agrees elsewhere, in advice by the same results, nor when it has
    nothing about a gene that the advice rests on: then it answers another question.
    """
    found: dict[int, list[int]] = defaultdict(list)
    for (i, one), (j, other) in combinations(enumerate(positions), 2):
        if _opposed(one, other) and _comparable(one, other):
            weightier, lighter = (other, one) if _is_usual(one) else (one, other)
            sides = [(weightier, lighter)] if _is_usual(lighter) else [(one, other), (other, one)]
            if all(_contradicted(mine, theirs, positions) for mine, theirs in sides):
                found[i].append(j)
                found[j].append(i)
    return found


def _opposed(one: Position, other: Position) -> bool:
    if one.rule.source == other.rule.source or one.stances & other.stances:
        return False
    return any(pair & one.stances and pair & other.stances for pair in _OPPOSED)


def _is_usual(position: Position) -> bool:
    return Stance.AS_USUAL in position.stances


def _comparable(one: Position, other: Position) -> bool:
    """Whether both can hold for the same patient: populations overlap, and some gene has the same state in both."""
    populations = {one.rule.population, other.rule.population}
    return (len(populations) == 1 or _EVERYONE in populations) and any(True for _ in _together(one, other))


def _together(one: Position, other: Position) -> Iterator[tuple[Subject, Subject]]:
    for mine in one.combinations:
        for theirs in other.combinations:
            shared = mine.keys() & theirs.keys()
            if shared and all(mine[gene] == theirs[gene] for gene in shared):
                yield mine, theirs


def _contradicted(mine: Position, theirs: Position, positions: Sequence[Position]) -> bool:
    """Whether the other source, taken as a whole, knows the genes behind ``mine`` and agrees with it nowhere."""
    same = [a for a in positions if a.rule.source == theirs.rule.source and _comparable(mine, a)]
    considered = {gene for a in same for about in a.combinations for gene in about}
    needed = {gene for about in mine.combinations for gene in about}
    return needed <= considered and not any(a.stances & mine.stances for a in same)
