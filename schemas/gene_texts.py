"""Calls and phenotypes of genes that were read before, recognised by their text.

Most patients have, gene by gene, what others have. So the JSON of our own events is cut into the texts of its genes,
and only texts that are new are read. What makes that safe: each text was accepted standing alone, as one complete JSON
object, and so was the event without them. Of a phenotype, the laboratory result at its end is cut off before and put
back: it is the patient's own.
"""

from dataclasses import dataclass, field
from typing import Generic, NamedTuple, TypeVar

from pydantic import ValidationError

from schemas.base import Model
from schemas.filled import filled
from schemas.genotype import GeneCall, GenotypeCalled
from schemas.phenotype import Phenotype, PhenotypeAssigned, ResultNote

M = TypeVar("M", bound=Model)

MAX_TEXTS = 4096
"""Texts remembered, of calls and of phenotypes. When they are too many, all are forgotten and learnt anew."""
MAX_LENGTH = 2048
"""Bytes of a text that is worth remembering."""

_OPENING = b'{"gene":'
_NEXT = b"," + _OPENING
_RESULT = b',"result":'
_EVENT = set(PhenotypeAssigned.model_fields)


class _Cut(NamedTuple):
    """An array of genes in a text: what stands before and behind its elements, and these without their opening."""

    before: bytes
    elements: list[bytes]
    behind: bytes


@dataclass(slots=True)
class _Known(Generic[M]):
    """Texts and the values that they stand for: one object for each, which nobody may change."""

    model: type[M]
    _values: dict[bytes, M] = field(default_factory=dict)

    def __len__(self) -> int:
        return len(self._values)

    def read(self, text: bytes, rest: bytes = b"") -> M:
        """The value of an element without its opening, whose ``rest`` may be any. Raises ValidationError."""
        found = self._values.get(text)
        if found is None:
            found = self.model.model_validate_json(_OPENING + text + rest, strict=True)
            if len(text) <= MAX_LENGTH:
                if len(self._values) >= MAX_TEXTS:
                    self._values.clear()
                self._values[text] = found
        return found


class GeneTexts:
    """Reads our own events, remembering their genes."""

    def __init__(self) -> None:
        self._calls = _Known(GeneCall)
        self._phenotypes = _Known(Phenotype)

    def __len__(self) -> int:
        return len(self._calls) + len(self._phenotypes)

    def read(self, model: type[M], value: bytes) -> M:
        """An event's value, the same as its model reads it. Raises ValidationError."""
        known: Model | None = None
        if model is GenotypeCalled:
            known = self._genotype_called(value)
        elif model is PhenotypeAssigned:
            known = self._phenotype_assigned(value)
        return known if isinstance(known, model) else model.model_validate_json(value, strict=True)

    def _genotype_called(self, value: bytes) -> GenotypeCalled | None:
        """None where the value is not written as we write it, or is wrong: then the whole has to be read."""
        cut = _cut(value, b'"genotypes"', b'],"observed":')
        if cut is None:
            return None
        frame = cut.before + cut.behind
        if not _is_plain(frame, b'"genotypes"'):
            return None
        try:
            around = GenotypeCalled.model_validate_json(frame, strict=True)
            calls = tuple(map(self._calls.read, cut.elements))
        except ValidationError:
            return None
        return None if around.genotypes else _with_calls(around, calls)

    def _phenotype_assigned(self, value: bytes) -> PhenotypeAssigned | None:
        """In the same way."""
        cut = _cut(value, b'"genotypes"', b'],"observed":')
        of_phenotypes = None if cut is None else _cut(cut.behind, b'"phenotypes"', b"]}")
        if cut is None or of_phenotypes is None:
            return None
        frame = cut.before + of_phenotypes.before + of_phenotypes.behind
        if not _is_plain(frame, b'"genotypes"', b'"phenotypes"'):
            return None
        try:
            around = PhenotypeAssigned.model_validate_json(frame, strict=True)
            calls = tuple(map(self._calls.read, cut.elements))
            phenotypes = self._with_results(of_phenotypes.elements)
        except ValidationError:
            return None
        if around.genotype.genotypes or around.phenotypes:
            return None
        return filled(
            PhenotypeAssigned, {"genotype": _with_calls(around.genotype, calls), "phenotypes": phenotypes}, _EVENT
        )

    def _with_results(self, texts: list[bytes]) -> tuple[Phenotype, ...]:
        """Raises ValidationError, also where an element does not end with a result."""
        notes: dict[bytes, ResultNote] = {}
        found = []
        for text in texts:
            head, _, end = text.partition(_RESULT)
            note = notes.get(end)
            if note is None:
                note = notes[end] = ResultNote.model_validate_json(end[:-1], strict=True)
            known = self._phenotypes.read(head, _RESULT + end)
            found.append(filled(Phenotype, known.__dict__ | {"result": note}, known.__pydantic_fields_set__))
        return tuple(found)


def _cut(value: bytes, name: bytes, end: bytes) -> _Cut | None:
    """The first array of this name, up to the first ``end``; None where there is none of genes."""
    before, opened, rest = value.partition(name + b":[")
    inside, ended, behind = rest.partition(end)
    if not opened or not ended or not inside.startswith(_OPENING):
        return None
    return _Cut(before + opened, inside.removeprefix(_OPENING).split(_NEXT), end + behind)


def _is_plain(frame: bytes, *names: bytes) -> bool:
    """Whether each name occurs once, however it is written: then the array found is the one that is meant."""
    return b"\\" not in frame and all(frame.count(name) == 1 for name in names)


def _with_calls(around: GenotypeCalled, calls: tuple[GeneCall, ...]) -> GenotypeCalled:
    return filled(GenotypeCalled, around.__dict__ | {"genotypes": calls}, around.__pydantic_fields_set__)
