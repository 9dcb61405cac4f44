"""A patient's genes as guideline tables ask for them: states, each with its keys for every source."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby

from knowledge.model import Gene, PhenotypeMethod, PhenotypeTable
from schemas.phenotype import Conversion, Phenotype

NO_RESULT = "No Result"
"""Key of a partner gene without a call, in tables over several genes."""


@dataclass(frozen=True, slots=True)
class Keys:
    """What guideline tables see of a gene's state."""

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


def states(
    genes: Mapping[str, Gene], genotypes: Mapping[str, Collection[str]], phenotypes: Sequence[Phenotype]
) -> dict[str, tuple[State, ...]]:
    """The states of each gene, in the order of the phenotypes. Terms for risk alleles of one typing are one state.

    ``genotypes`` are those that rows are about, by gene.
    """
    found: dict[str, list[State]] = {}
    for (gene, _), group in groupby(enumerate(phenotypes), key=lambda item: _same_state(genes, *item)):
        of_state = [phenotype for _, phenotype in group]
        found.setdefault(gene, []).append(_state(genes.get(gene), genotypes.get(gene, ()), of_state))
    return {gene: tuple(of_gene) for gene, of_gene in found.items()}


def _same_state(genes: Mapping[str, Gene], index: int, phenotype: Phenotype) -> tuple[str, tuple[str, ...] | int]:
    gene = genes.get(phenotype.gene)
    presence = gene is not None and gene.phenotype.method is PhenotypeMethod.ALLELE_PRESENCE
    return (phenotype.gene, phenotype.alleles if presence else index)


def _state(gene: Gene | None, genotypes: Collection[str], phenotypes: Sequence[Phenotype]) -> State:
    keys = tuple(dict.fromkeys(key for phenotype in phenotypes for key in _keys(phenotype)))
    # A row about a genotype speaks of what the genes alone come to.
    called = None if any(map(_converted, phenotypes)) else genotype(phenotypes[0].alleles)
    scored = gene is not None and gene.phenotype.method is PhenotypeMethod.ACTIVITY_SCORE
    seen = Keys(
        keys=keys,
        phenotype_keys=_phenotypes_of_scores(gene.phenotype, keys) if gene and scored else keys,
        genotype=called if called in genotypes else None,
    )
    return State(phenotypes[0].gene, tuple(phenotypes), seen)


def _converted(phenotype: Phenotype) -> bool:
    return phenotype.effective is not None and phenotype.effective.outcome is Conversion.CONVERTED


def _keys(phenotype: Phenotype) -> Iterable[str]:
    key = phenotype.lookup_key if phenotype.effective is None else phenotype.effective.lookup_key
    return () if key is None else (key,) if isinstance(key, str) else key


def genotype(alleles: Iterable[str]) -> str:
    """The key of a genotype, whatever the order of its alleles."""
    return "/".join(sorted(alleles))


def _phenotypes_of_scores(table: PhenotypeTable, scores: Iterable[str]) -> tuple[str, ...]:
    """The phenotypes of activity scores; nothing for ``n/a``, about which tables by phenotype say nothing."""
    return tuple(dict.fromkeys(found for score in scores if (found := table.phenotype_of_score(score)) is not None))
