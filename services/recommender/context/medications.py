"""What the patient takes, in the names of a knowledge release."""

from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from knowledge.clinical import Precipitant
from knowledge.once import once
from knowledge.release import Release
from schemas.clinical_context import Medication

_PART = "/"
"""Stands between the ingredients of a combination."""


@dataclass(frozen=True, slots=True)
class Taken:
    """A drug that the patient takes, as the release knows it."""

    medication: Medication
    names: frozenset[str]
    """Its ingredients in the release's names, in lower case; what it is called, where the release knows none."""
    drugs: tuple[str, ...]
    """Drugs of the release that it is or contains."""
    precipitants: tuple[Precipitant, ...]

    @property
    def recognised(self) -> bool:
        """Whether the release knows anything about it."""
        return bool(self.drugs or self.precipitants)


class DrugNames:
    """The drugs of a release by RxNorm, ATC and name."""

    def __init__(self, release: Release) -> None:
        self._drugs = {name.casefold(): name for name in release.drugs}
        self._by_code: dict[str, set[str]] = defaultdict(set)
        self._synonyms: dict[str, str] = {}
        self._precipitants = release.phenoconversion.precipitants
        for drug in release.drugs.values():
            for code in (drug.rxnorm, *drug.atc):
                if code is not None:
                    self._by_code[code].add(drug.name.casefold())
        for one in self._precipitants:
            if one.rxnorm is not None:
                self._by_code[one.rxnorm].add(one.drug.casefold())
            self._synonyms |= {name.casefold(): one.drug.casefold() for name in one.names}

    def recognise(self, medications: Iterable[Medication]) -> tuple[Taken, ...]:
        """Each medication as the release knows it, in the same order."""
        return tuple(map(self._recognised, medications))

    def names(self, drugs: Iterable[str]) -> frozenset[str]:
        """Names as ``Taken.names`` has them."""
        return frozenset(self._synonyms.get(name.casefold(), name.casefold()) for name in drugs)

    def _recognised(self, medication: Medication) -> Taken:
        names = self.names(self._said(medication))
        return Taken(
            medication,
            names,
            tuple(sorted(self._drugs[name] for name in names if name in self._drugs)),
            tuple(one for one in self._precipitants if self.names(_parts(one.drug)) <= names),
        )

    def _said(self, medication: Medication) -> Iterator[str]:
        for code in (medication.rxnorm, medication.atc):
            if code is not None:
                for name in self._by_code.get(code, ()):
                    yield name
                    yield from _parts(name)
        if medication.name is not None:
            yield medication.name
            yield from _parts(medication.name)


def _parts(name: str) -> Iterator[str]:
    return (part.strip() for part in name.split(_PART))


@once
def drug_names(release: Release) -> DrugNames:
    """The names of a release's drugs, prepared the first time they are asked for."""
    return DrugNames(release)
