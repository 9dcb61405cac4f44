"""Stored results read under another release: the genotyper's and the phenotyper's work, for the recommender.

Services never import each other; this is where they meet, as in ``cli.evaluation``.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, TypeVar

import orjson

from knowledge.release import Release
from schemas.genotype import CallStatus, GeneCall, KnowledgeRef, ObservedGene
from schemas.lab_result import Sex
from schemas.phenotype import Phenotype, ResultNote
from services.genotyper.recall import Recaller
from services.phenotyper.assignment import assign
from services.recommender.merging import Delivery, merge
from services.recommender.state import release_of
from services.recommender.store.behind import Needed, StoredResult
from services.recommender.store.rows import observed as compact
from services.recommender.view import Lookup, lookups

K = TypeVar("K")
V = TypeVar("V")

_REMEMBERED = 65536
"""Readings of a gene kept for reuse: populations repeat themselves."""

_Reading = tuple[GeneCall, tuple[Phenotype, ...]]


class Interpreter:
    """Reads deliveries under other releases than they were called under; remembers what it read before."""

    def __init__(self, releases: Callable[[str], Release]) -> None:
        """``releases`` gives an installed release by its id and raises KeyError where there is none."""
        self._releases = releases
        self._between: dict[tuple[str, str], _Between] = {}

    def __call__(self, delivery: Delivery, knowledge: KnowledgeRef) -> Delivery:
        """The delivery as it reads under a release. Raises Rejected(UNKNOWN_RELEASE)."""
        if delivery.knowledge == knowledge:
            return delivery
        return self._pair(delivery.knowledge, knowledge).read(delivery, knowledge)

    def needed(self, called_under: KnowledgeRef, knowledge: KnowledgeRef, genes: frozenset[str]) -> Needed:
        """What of a stored result ``lookups`` looks at. Raises Rejected(UNKNOWN_RELEASE)."""
        if called_under == knowledge:
            return Needed(calls=False, phenotypes=True)
        same = self._pair(called_under, knowledge).same
        return Needed(calls=not genes <= same, phenotypes=not genes.isdisjoint(same))

    def lookups(
        self, results: Sequence[StoredResult], knowledge: KnowledgeRef, genes: frozenset[str]
    ) -> tuple[Lookup, ...]:
        """Of these genes alone, what advice sees of a patient's stored results under a release, if the newest speak.

        Raises Rejected(UNKNOWN_RELEASE).
        """
        if len(results) == 1:
            return self._of_one(results[0], knowledge, genes)
        read = [self(_about_genes(result, genes), knowledge) for result in results]
        return lookups(one for one in merge(read).phenotypes if one.gene in genes)

    def _of_one(self, result: StoredResult, knowledge: KnowledgeRef, genes: frozenset[str]) -> tuple[Lookup, ...]:
        pair = None if result.knowledge == knowledge else self._pair(result.knowledge, knowledge)
        rereading = frozenset() if pair is None else genes - pair.same
        found: list[Lookup] = []
        if pair is not None and rereading:
            observed = orjson.loads(result.observed)
            for gene in rereading & pair.both:
                for call in about(result.genotypes, gene):
                    found += pair.lookup(call, observed.get(gene), result.sex)
        if kept := genes - rereading:
            stored = (orjson.loads(element) for gene in kept for element in about(result.phenotypes, gene))
            found += lookups(map(Phenotype.model_validate, stored))
        return tuple(sorted(found, key=lambda one: one.gene))

    def _pair(self, before: KnowledgeRef, after: KnowledgeRef) -> "_Between":
        pair = (before.sha256, after.sha256)
        if pair not in self._between:
            releases = (release_of(one, self._releases) for one in (before, after))
            self._between[pair] = _Between(*releases)
        return self._between[pair]


class _Between:
    """What two releases make of the same observations."""

    def __init__(self, before: Release, after: Release) -> None:
        self._after = after
        self._recaller = Recaller(before, after)
        self.same = frozenset(symbol for symbol, gene in after.genes.items() if before.genes.get(symbol) == gene)
        self.both = before.genes.keys() & after.genes.keys()
        self._read: dict[tuple[Sex, bytes, bytes], _Reading] = {}
        self._lookups: dict[tuple[str, str, bytes], tuple[Lookup, ...]] = {}

    def read(self, delivery: Delivery, knowledge: KnowledgeRef) -> Delivery:
        """The delivery as it reads under the later release; genes that only it has are not assayed."""
        calls = {call.gene: call for call in delivery.genotypes if call.gene in self.both}
        note = ResultNote.of(delivery.result)
        known: dict[str, list[Phenotype]] = {}
        for phenotype in delivery.phenotypes:
            known.setdefault(phenotype.gene, []).append(phenotype)
        observed: Mapping[str, Any] | None = None
        genotypes: list[GeneCall] = []
        phenotypes: list[Phenotype] = []
        for symbol in self._after.genes:
            call = calls.get(symbol) or GeneCall(gene=symbol, status=CallStatus.NOT_ASSAYED)
            if symbol in self.same or call.status is CallStatus.NOT_ASSAYED:
                genotypes.append(call)
                phenotypes += known.get(symbol, ())
                continue
            if observed is None:
                observed = _observed(delivery)
            written = call.model_dump_json(exclude_defaults=True).encode()
            again, assigned = self.again(written, observed.get(symbol), delivery.result.sex)
            genotypes.append(again)
            phenotypes += (one.model_copy(update={"result": note}) for one in assigned)
        return Delivery(delivery.result, knowledge, tuple(genotypes), tuple(phenotypes), delivery.observed)

    def again(self, call: bytes, rows: Any, sex: Sex) -> _Reading:
        """A gene's call and phenotypes, from its call and observed rows as the store keeps them."""
        key = (sex, call, orjson.dumps(rows))
        found = self._read.get(key)
        if found is None:
            observed = None if rows is None else ObservedGene.model_validate(rows)
            again = self._recaller.call(GeneCall.model_validate_json(call), observed, sex)
            found = (again, assign(self._after, (again,)))
            _remember(self._read, key, found)
        return found

    def lookup(self, call: str, rows: Any, sex: str) -> tuple[Lookup, ...]:
        """A gene of both releases as advice sees it, from what the store keeps; none where it was not assayed."""
        key = (sex, call, orjson.dumps(rows))
        found = self._lookups.get(key)
        if found is None:
            status = orjson.loads(call)["status"]
            unseen = status == CallStatus.NOT_ASSAYED.value
            found = () if unseen else lookups(self.again(call.encode(), rows, Sex(sex))[1])
            _remember(self._lookups, key, found)
        return found


def _about_genes(result: StoredResult, genes: frozenset[str]) -> Delivery:
    """The delivery with what it says of these genes alone."""
    stored = (result.genotypes, result.phenotypes)
    calls, phenotypes = ([text for gene in sorted(genes) for text in about(array, gene)] for array in stored)
    return Delivery(
        result.result(),
        result.knowledge,
        tuple(map(GeneCall.model_validate_json, calls)),
        tuple(map(Phenotype.model_validate_json, phenotypes)),
        result.observed,
    )


def about(array: str, gene: str) -> Iterator[str]:
    """The elements of a stored array of calls or phenotypes that are about a gene, without parsing all the others.

    The store writes compact JSON whose objects begin with their gene, and in JSON a quote within a text is escaped, so
    that what is looked for is found nowhere else.
    """
    opening, next_one = f'{{"gene":"{gene}"', '},{"gene":"'
    start = array.find(opening)
    while start >= 0:
        end = array.find(next_one, start) + 1 or len(array) - 1
        yield array[start:end]
        start = array.find(opening, end)


def _remember(memo: dict[K, V], key: K, value: V) -> None:
    if len(memo) >= _REMEMBERED:
        del memo[next(iter(memo))]
    memo[key] = value


def _observed(delivery: Delivery) -> Mapping[str, Any]:
    text = delivery.observed if isinstance(delivery.observed, str) else compact(delivery.observed)
    genes: Mapping[str, Any] = orjson.loads(text)
    return genes
