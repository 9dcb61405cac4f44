"""A patient's genes as guideline tables ask for them: states, each with its keys for every source."""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from functools import lru_cache

from knowledge.keys import reachable
from knowledge.model import Gene, PhenotypeMethod, PhenotypeTable
from schemas.phenotype import Conversion, Phenotype

_KEPT = 16384
"""Keys kept for reuse: more than there are different results."""

_BY_SCORE = "CPIC"
"""A source that is looked up by activity score where there is one."""

NO_RESULT = "No Result"
"""Key of a partner gene without a call, in tables over several genes."""


@dataclass(frozen=True, slots=True, eq=False)
class Keys:
    """What guideline tables see of a gene's state. Made once for what is the same, and then itself and nothing else."""

    keys: tuple[str, ...]
    """What tables by phenotype or score are keyed by; several for risk alleles, or a phenotype with several scores."""
    phenotype_keys: tuple[str, ...]
    """What tables by phenotype alone are keyed by."""
    genotype: str | None
    """Allele names in text order, where some row is about this very genotype."""


@dataclass(frozen=True, slots=True, eq=False)
class State:
    """One thing that a gene may be. A gene has several states where its call is ambiguous, none where it has no call.

    A state is itself and nothing else: two genes or two diplotypes never share one.
    """

    gene: str
    phenotypes: tuple[Phenotype, ...]
    keys: Keys

    @property
    def diplotype(self) -> str | None:
        return self.phenotypes[0].diplotype


class Reading:
    """The genes of one release, read as its tables ask for them."""

    def __init__(self, genes: Mapping[str, Gene], genotypes: Mapping[str, Collection[str]]) -> None:
        """``genotypes`` are those that rows are about, by gene."""
        self._genotypes = genotypes
        methods = {symbol: gene.phenotype.method for symbol, gene in genes.items()}
        self._presence = {symbol for symbol, method in methods.items() if method is PhenotypeMethod.ALLELE_PRESENCE}
        self._scored = {
            symbol: genes[symbol].phenotype
            for symbol, method in methods.items()
            if method is PhenotypeMethod.ACTIVITY_SCORE
        }
        self._reachable = {symbol: reachable(gene, _BY_SCORE) for symbol, gene in genes.items()}
        self._keys = lru_cache(maxsize=_KEPT)(self._read)

    def states(self, phenotypes: Iterable[Phenotype]) -> dict[str, tuple[State, ...]]:
        """The states of each gene, in the order of the phenotypes. Terms for risk alleles of one typing are one."""
        together: dict[tuple[str, object], list[Phenotype]] = {}
        for number, phenotype in enumerate(phenotypes):
            typing = phenotype.alleles if phenotype.gene in self._presence else number
            together.setdefault((phenotype.gene, typing), []).append(phenotype)
        found: dict[str, tuple[State, ...]] = {}
        for (gene, _), of_state in together.items():
            found[gene] = (*found.get(gene, ()), self._state(gene, tuple(of_state)))
        return found

    def _state(self, gene: str, phenotypes: tuple[Phenotype, ...]) -> State:
        first = phenotypes[0]
        if len(phenotypes) == 1:
            keys = _keys(first)
        else:
            keys = tuple(dict.fromkeys(key for phenotype in phenotypes for key in _keys(phenotype)))
        named = None
        # A row about a genotype speaks of what the genes alone come to.
        if gene in self._genotypes and not any(map(_converted, phenotypes)):
            called = genotype(first.alleles)
            named = called if called in self._genotypes[gene] else None
        return State(gene, phenotypes, self._keys(gene, keys, named))

    def _read(self, gene: str, keys: tuple[str, ...], named: str | None) -> Keys:
        table = self._scored.get(gene)
        by_phenotype = keys if table is None else _phenotypes_of_scores(table, keys)
        return Keys(keys=keys, phenotype_keys=by_phenotype, genotype=named)

    def expected(self, gene: str) -> tuple[Keys | None, ...]:
        """The keys that most patients have: each single one, and none. What several keys or genotypes give is left."""
        if gene not in self._reachable:
            return (None,)
        return (None, *(self._keys(gene, (key,), None) for key in sorted(self._reachable[gene])))


def _converted(phenotype: Phenotype) -> bool:
    return phenotype.effective is not None and phenotype.effective.outcome is Conversion.CONVERTED


def _keys(phenotype: Phenotype) -> tuple[str, ...]:
    key = phenotype.lookup_key if phenotype.effective is None else phenotype.effective.lookup_key
    return () if key is None else (key,) if isinstance(key, str) else key


def genotype(alleles: Iterable[str]) -> str:
    """The key of a genotype, whatever the order of its alleles."""
    return "/".join(sorted(alleles))


def _phenotypes_of_scores(table: PhenotypeTable, scores: Iterable[str]) -> tuple[str, ...]:
    """The phenotypes of activity scores; nothing for ``n/a``, about which tables by phenotype say nothing."""
    return tuple(dict.fromkeys(found for score in scores if (found := table.phenotype_of_score(score)) is not None))
