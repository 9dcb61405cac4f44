"""What a gene's alleles mean: functions, activity score, phenotype and the key that guideline tables use."""

from collections.abc import Sequence
from typing import NamedTuple

from knowledge.model import Allele, Gene, PhenotypeMethod, PhenotypeTable
from services.phenotyper import scores

NOT_AVAILABLE = "n/a"
"""Phenotype and key of a diplotype that no rule covers."""
UNASSIGNED = "Unassigned function"
"""Function of an allele that the release gives none."""


class Meaning(NamedTuple):
    """One reading of a diplotype. ``key`` is None where the gene has no phenotype table."""

    functions: tuple[str | None, ...]
    phenotype: str | None
    score: str | None
    key: str | None
    term: str | None = None


class GeneMeaning:
    """The phenotype rules of one gene, ready to be asked. Method and texts: the release's phenotype table."""

    def __init__(self, gene: Gene) -> None:
        self.gene = gene
        self.table: PhenotypeTable = gene.phenotype
        self._alleles = _by_name(gene)
        self._rules = {tuple(sorted(f)): rule.phenotype for rule in self.table.rules for f in rule.functions}
        self._scores = scores.reachable(a.activity_value for a in gene.definition.alleles) if self.has_scores else ()
        known = [rule.phenotype for rule in self.table.rules] + [bin_.phenotype for bin_ in self.table.bins]
        self._phenotypes = {phenotype.lower(): phenotype for phenotype in known}

    @property
    def has_scores(self) -> bool:
        return self.table.method is PhenotypeMethod.ACTIVITY_SCORE

    @property
    def has_presence(self) -> bool:
        return self.table.method is PhenotypeMethod.ALLELE_PRESENCE

    @property
    def has_table(self) -> bool:
        return self.table.method is not PhenotypeMethod.NONE

    def allele(self, name: str) -> Allele | None:
        """The allele of this name, however the spaces around ``+`` are written; None where the release has none."""
        return self._alleles.get(name) or self._alleles.get(name.replace(" + ", "+"))

    def spelt(self, text: str) -> str:
        """A reported phenotype in the spelling of this gene's table, where only capitals differ."""
        return self._phenotypes.get(text.lower(), text)

    def of(self, alleles: Sequence[str]) -> Meaning:
        """What a diplotype (one allele for a hemizygous or mitochondrial gene) means."""
        if not self.has_table:
            return Meaning(tuple(None for _ in alleles), None, None, None)
        if self.has_presence:
            return Meaning(tuple(None for _ in alleles), NOT_AVAILABLE, None, NOT_AVAILABLE)
        found = [self.allele(name) for name in alleles]
        functions = tuple((allele.function if allele else None) or UNASSIGNED for allele in found)
        if self.has_scores:
            score = scores.total([allele.activity_value if allele else None for allele in found])
            return Meaning(functions, self.table.phenotype_of_score(score) or self.no_score, score, score)
        phenotype = self._rules.get(tuple(sorted(functions)))
        if self.table.method is PhenotypeMethod.GENOTYPE:
            return Meaning(functions, NOT_AVAILABLE, None, NOT_AVAILABLE, term=phenotype)
        return Meaning(functions, phenotype or NOT_AVAILABLE, None, phenotype or NOT_AVAILABLE)

    @property
    def no_score(self) -> str:
        return self.table.no_score or NOT_AVAILABLE

    def phenotype_of_score(self, score: str) -> str:
        """The phenotype of a reported score, which must be one that two alleles can have."""
        return (self.table.phenotype_of_score(score) if score in self._scores else None) or self.no_score

    def scores_of_phenotype(self, phenotype: str) -> tuple[str, ...]:
        """Every score that this phenotype stands for, in text order; ``n/a`` alone where it stands for none."""
        stands_for = tuple(score for score in self._scores if self.table.phenotype_of_score(score) == phenotype)
        return stands_for or (NOT_AVAILABLE,)

    def presence_terms(self, alleles: Sequence[str]) -> tuple[str, ...]:
        """For each risk allele of the gene whether one of these is it: ``*57:01 positive`` or ``*57:01 negative``."""
        return tuple(
            f"{risk} {'positive' if any(_is_risk(name, risk) for name in alleles) else 'negative'}"
            for risk in self.table.presence_alleles
        )


def _by_name(gene: Gene) -> dict[str, Allele]:
    public = {allele.public_name: allele for allele in gene.definition.alleles if allele.public_name}
    return public | {allele.name: allele for allele in gene.definition.alleles}


def _is_risk(name: str, risk: str) -> bool:
    """Whether a typed allele is the risk allele, at its resolution or a higher one (``*15:02:01``)."""
    return name.startswith(risk) and not name[len(risk) :][:1].isdigit()
