"""Stored results read under another release: the genotyper's and the phenotyper's work, for the recommender.

Services never import each other; this is where they meet, as in ``cli.evaluation``.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import orjson

from knowledge.release import Release
from schemas.genotype import CallStatus, GeneCall, KnowledgeRef, ObservedGene
from schemas.lab_result import Sex
from schemas.phenotype import Phenotype, ResultNote
from services.genotyper.recall import Recaller
from services.phenotyper.assignment import assign
from services.recommender.merging import Delivery
from services.recommender.patient import release_of
from services.recommender.reinterpretation import StoredResult
from services.recommender.store.rows import observed as compact

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

    def phenotypes(
        self, result: StoredResult, knowledge: KnowledgeRef, genes: frozenset[str]
    ) -> Mapping[str, Sequence[Phenotype]]:
        """Of these genes alone, the phenotypes of a stored result under a release, without provenance.

        Raises Rejected(UNKNOWN_RELEASE).
        """
        pair = None if result.knowledge == knowledge else self._pair(result.knowledge, knowledge)
        found: dict[str, Sequence[Phenotype]] = {}
        rereading = frozenset() if pair is None else genes - pair.same
        if pair is not None and rereading:
            observed = orjson.loads(result.observed)
            for call in orjson.loads(result.genotypes):
                symbol = call["gene"]
                if symbol in rereading and symbol in pair.both and call["status"] != CallStatus.NOT_ASSAYED.value:
                    found[symbol] = pair.again(orjson.dumps(call), observed.get(symbol), Sex(result.sex))[1]
        if kept := genes - rereading:
            for one in orjson.loads(result.phenotypes):
                if one["gene"] in kept:
                    found[one["gene"]] = (*found.get(one["gene"], ()), Phenotype.model_validate(one))
        return found

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
            if len(self._read) >= _REMEMBERED:
                del self._read[next(iter(self._read))]
            self._read[key] = found
        return found


def _observed(delivery: Delivery) -> Mapping[str, Any]:
    text = delivery.observed if isinstance(delivery.observed, str) else compact(delivery.observed)
    genes: Mapping[str, Any] = orjson.loads(text)
    return genes
