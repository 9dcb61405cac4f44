"""What stands behind a patient's recommendations: diplotypes, laboratory results and reasons for less confidence.

Worked out once for each state of a gene, as most recommendations share a few of them.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

import orjson

from knowledge.model import Doubt, Gene
from schemas.genotype import GeneCall
from schemas.lab_result import Status
from schemas.phenotype import Phenotype, ResultNote
from schemas.serialise import to_json
from services.recommender import confidence
from services.recommender.keys import State

_KEPT = 4096
"""Reasons kept for reuse, by what a gene is; some MB with the calls that they are about."""
_PRELIMINARY = Status.PRELIMINARY.value


class Behind:
    """What one or several states together give."""

    __slots__ = ("_json", "_tail", "diplotypes", "preliminary", "reasons", "results")

    def __init__(
        self, diplotypes: dict[str, str], results: tuple[ResultNote, ...], preliminary: bool, reasons: tuple[str, ...]
    ) -> None:
        self.diplotypes = diplotypes
        self.results = results
        self.preliminary = preliminary
        self.reasons = reasons
        """For less confidence."""
        self._json: bytes | None = None
        self._tail: bytes | None = None

    @property
    def facts(self) -> dict[str, Any]:
        """As a recommendation states them."""
        return {
            "confidence": confidence.of(self.reasons),
            "confidence_reasons": self.reasons,
            "diplotypes": self.diplotypes,
            "results": self.results,
            "preliminary": self.preliminary,
        }

    @property
    def json(self) -> bytes:
        """The end of a recommendation's canonical JSON, from its confidence on, where nothing else enters."""
        if self._json is None:
            sure = {"confidence": confidence.of(self.reasons), "confidence_reasons": self.reasons, "conflict": ()}
            self._json = self.json_with(sure)
        return self._json

    def json_with(self, sure: dict[str, Any]) -> bytes:
        """The same with other fields about confidence and conflict, in their order."""
        if self._tail is None:
            self._tail = b"".join(
                (
                    b',"diplotypes":', orjson.dumps(self.diplotypes),
                    b',"results":[', b",".join([to_json(note) for note in self.results]),
                    b'],"preliminary":', orjson.dumps(self.preliminary), b"}",
                )
            )  # fmt: skip
        return orjson.dumps(sure)[1:-1] + self._tail


class Reasons:
    """Reasons for less confidence in what one gene is, under one release: the same for everyone who is the same."""

    def __init__(self, genes: Mapping[str, Gene], doubts: Iterable[Doubt]) -> None:
        self._genes = genes
        self._curated = confidence.curated(genes)
        self._doubts = confidence.about_genes(doubts)
        self._known: dict[tuple[object, ...], tuple[GeneCall | None, tuple[str, ...]]] = {}
        """By identity of the call, which stands beside the reasons so that no other takes its identity."""

    def of(self, call: GeneCall | None, state: State, *, several: bool, preliminary: bool) -> tuple[str, ...]:
        """``several``: the gene has other states too; ``preliminary``: so is a result that it comes from."""
        same = (id(call), several, preliminary, state.keys, *map(_without_result, state.phenotypes))
        known = self._known.get(same)
        if known is None:
            if len(self._known) >= _KEPT:
                self._known.clear()
            known = self._known[same] = (call, tuple(self._found(call, state, several, preliminary)))
        return known[1]

    def _found(self, call: GeneCall | None, state: State, several: bool, preliminary: bool) -> Iterator[str]:
        gene = self._genes.get(state.gene)
        yield from confidence.of_call(gene, call, state, several=several, preliminary=preliminary)
        doubted = [doubt.text for doubt in self._doubts.get(state.gene, ()) if confidence.applies(doubt, (state,))]
        yield from doubted or confidence.of_curated(self._curated.get(state.gene, frozenset()), state)


def _without_result(phenotype: Phenotype) -> tuple[object, ...]:
    return tuple([value for name, value in phenotype.__dict__.items() if name != "result"])


class Evidence:
    """The states of one patient, with the calls that they come from."""

    def __init__(
        self, reasons: Reasons, genotypes: Sequence[GeneCall], of_genes: Mapping[str, Sequence[State]]
    ) -> None:
        self._reasons = reasons
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
        if not doubts:
            return ()
        asked = (tuple(doubt.id for doubt in doubts), states)
        found = self._doubted.get(asked)
        if found is None:
            found = tuple(doubt.text for doubt in doubts if confidence.applies(doubt, states))
            self._doubted[asked] = found
        return found

    def _one(self, state: State) -> Behind:
        notes = _notes(state)
        preliminary = _PRELIMINARY in [note.status for note in notes]
        several = len(self._states[state.gene]) > 1
        return Behind(
            diplotypes={state.gene: state.diplotype} if state.diplotype is not None else {},
            results=notes,
            preliminary=preliminary,
            reasons=self._reasons.of(self._calls.get(state.gene), state, several=several, preliminary=preliminary),
        )

    def _several(self, states: tuple[State, ...]) -> Behind:
        each = [self.behind((state,)) for state in states]
        diplotypes: dict[str, list[str]] = {}
        for one in each:
            for gene, name in one.diplotypes.items():
                names = diplotypes.setdefault(gene, [])
                if name not in names:
                    names.append(name)
        return Behind(
            diplotypes={gene: " or ".join(diplotypes[gene]) for gene in sorted(diplotypes)},
            results=_merged([one.results for one in each]),
            preliminary=True in [one.preliminary for one in each],
            reasons=tuple(dict.fromkeys([reason for one in each for reason in one.reasons])),
        )


def _notes(state: State) -> tuple[ResultNote, ...]:
    if len(state.phenotypes) == 1:
        result = state.phenotypes[0].result
        return () if result is None else (result,)
    return _merged([(p.result,) for p in state.phenotypes if p.result is not None])


def _merged(several: Sequence[tuple[ResultNote, ...]]) -> tuple[ResultNote, ...]:
    """Each note once, in order."""
    if not several or several.count(several[0]) == len(several):
        return several[0] if several else ()
    return _in_order(tuple(dict.fromkeys([note for notes in several for note in notes])))


def _in_order(notes: tuple[ResultNote, ...]) -> tuple[ResultNote, ...]:
    return tuple(sorted(notes, key=lambda note: (note.laboratory, note.accession, note.version, note.issued)))
