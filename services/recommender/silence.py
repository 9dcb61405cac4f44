"""Where a source has rows about a drug but none for a patient's result: it says nothing, and that is told.

Which combinations of keys these are is part of the release; nothing is read into it here.
"""

from collections import defaultdict
from collections.abc import Iterable
from itertools import product

from knowledge.release import Release
from schemas.recommendation import Silence
from services.recommender.rows import Row
from services.recommender.tables import Asked, Combined, keys_for

Silent = dict[str, Silence]
"""By their place in a list: drug, source, population, genes and keys."""


class Silences:
    """The silences of one release, by the keys that meet them."""

    def __init__(self, release: Release) -> None:
        self._of: dict[tuple[str, ...], dict[str, dict[Combined, Silent]]] = {}
        for known in release.unanswered:
            by_keys = self._of.setdefault(known.genes, {}).setdefault(known.source, defaultdict(dict))
            for keys in known.combinations:
                genes = dict(zip(known.genes, keys, strict=True))
                one = Silence(drug=known.drug, source=known.source, population=known.population, genes=genes)
                by_keys[keys][place(one)] = one

    @property
    def genes(self) -> Iterable[tuple[str, ...]]:
        """The combinations of genes by whose keys there are silences."""
        return self._of.keys()

    def of(self, genes: tuple[str, ...], asked: Asked, answers: Iterable[Row]) -> Silent:
        """Who is silent about these keys. ``answers`` are the rows that they meet: a genotype may have one of its own
        although its phenotype has none."""
        about = {_about(row) for row in answers}
        return {
            text: one
            for source, by_keys in self._of.get(genes, {}).items()
            for keys in product(*(keys_for(source, of_gene) for of_gene in asked))
            for text, one in by_keys.get(keys, {}).items()
            if (one.drug, one.source, one.population) not in about
        }


def answered(met: Iterable[Row]) -> frozenset[str]:
    """The places of the silences by one gene for which rows by any of several genes answer."""
    return frozenset(
        _text(*_about(row), ((gene, key),)) for row in met if row.advice.rule.any_gene for gene, key in row.keys.items()
    )


def in_order(silent: Silent) -> tuple[Silence, ...]:
    """The silences as they are told."""
    return tuple([silent[text] for text in sorted(silent)])


def place(one: Silence) -> str:
    """Where a silence stands in a list, as text."""
    return _text(one.drug, one.source, one.population, one.genes.items())


def _text(drug: str, source: str, population: str, keys: Iterable[tuple[str, str]]) -> str:
    return "\0".join((drug, source, population, *(text for of_gene in sorted(keys) for text in of_gene)))


def _about(row: Row) -> tuple[str, str, str]:
    rule = row.advice.rule
    return (rule.drug, rule.source, rule.population)
