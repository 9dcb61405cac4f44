"""What stands behind a patient's recommendations: diplotypes, laboratory results and reasons for less confidence.

Worked out once for each state of a gene, as most recommendations share a few of them.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from knowledge.model import Doubt, Gene
from schemas.genotype import GeneCall
from schemas.lab_result import Status
from schemas.phenotype import ResultNote
from services.recommender import confidence
from services.recommender.keys import State


@dataclass(frozen=True)
class Behind:
    """What one or several states together give."""

    diplotypes: dict[str, str]
    results: tuple[ResultNote, ...]
    preliminary: bool
    reasons: tuple[str, ...]

    @cached_property
    def facts(self) -> dict[str, Any]:
        """As a recommendation states them."""
        return {
            "confidence": confidence.of(self.reasons),
            "confidence_reasons": self.reasons,
            "diplotypes": self.diplotypes,
            "results": self.results,
            "preliminary": self.preliminary,
        }


class Evidence:
    """The states of one patient, with the calls that they come from."""

    def __init__(
        self,
        genes: Mapping[str, Gene],
        curated: Mapping[str, frozenset[str]],
        doubts: Mapping[str, tuple[Doubt, ...]],
        genotypes: Sequence[GeneCall],
        of_genes: Mapping[str, Sequence[State]],
    ) -> None:
        """``curated`` and ``doubts``: alleles from expert memory, and doubts, by gene, in the release of ``genes``."""
        self._genes = genes
        self._curated = curated
        self._doubts = doubts
        self._calls = {call.gene: call for call in genotypes}
        self._states = of_genes
        self._behind: dict[tuple[State, ...], Behind] = {}
        self._doubted: dict[tuple[tuple[str, ...], tuple[State, ...]], tuple[str, ...]] = {}

    def behind(self, states: tuple[State, ...]) -> Behind:
        found = self._behind.get(states)
        if found is None:
            found = self._one(states[0]) if len(states) == 1 else self._several(states)
            self._behind[states] = found
        return found

    def doubted(self, doubts: tuple[Doubt, ...], states: tuple[State, ...]) -> tuple[str, ...]:
        """The reasons of those doubts that apply to one of the states."""
        asked = (tuple(doubt.id for doubt in doubts), states)
        found = self._doubted.get(asked)
        if found is None:
            found = tuple(doubt.text for doubt in doubts if confidence.applies(doubt, states))
            self._doubted[asked] = found
        return found

    def _one(self, state: State) -> Behind:
        call = self._calls.get(state.gene)
        several = len(self._states[state.gene]) > 1
        reasons = list(confidence.of_call(self._genes.get(state.gene), call, state, several=several))
        doubted = self.doubted(self._doubts.get(state.gene, ()), (state,))
        reasons += doubted or confidence.of_curated(self._curated.get(state.gene, frozenset()), state)
        notes = _notes(state)
        return Behind(
            diplotypes={state.gene: state.diplotype} if state.diplotype is not None else {},
            results=_in_order(notes) if len(notes) > 1 else notes,
            preliminary=any(note.status == Status.PRELIMINARY for note in notes),
            reasons=tuple(reasons),
        )

    def _several(self, states: tuple[State, ...]) -> Behind:
        each = [self.behind((state,)) for state in states]
        diplotypes: dict[str, list[str]] = {}
        for one in each:
            for gene, name in one.diplotypes.items():
                if name not in diplotypes.setdefault(gene, []):
                    diplotypes[gene].append(name)
        return Behind(
            diplotypes={gene: " or ".join(names) for gene, names in sorted(diplotypes.items())},
            results=_in_order(tuple(dict.fromkeys(note for one in each for note in one.results))),
            preliminary=any(one.preliminary for one in each),
            reasons=tuple(dict.fromkeys(reason for one in each for reason in one.reasons)),
        )


def _notes(state: State) -> tuple[ResultNote, ...]:
    if len(state.phenotypes) == 1:
        result = state.phenotypes[0].result
        return () if result is None else (result,)
    return tuple(dict.fromkeys(p.result for p in state.phenotypes if p.result is not None))


def _in_order(notes: tuple[ResultNote, ...]) -> tuple[ResultNote, ...]:
    return tuple(sorted(notes, key=lambda note: (note.laboratory, note.accession, note.version, note.issued)))
