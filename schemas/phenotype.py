"""Phenotypes: what the phenotyper publishes on ``pgx.phenotype.v1`` and ``pgx evaluate`` prints as ``phenotypes``."""

from schemas.base import Model
from schemas.genotype import GenotypeCalled


class Phenotype(Model):
    """What one diplotype (or one reported phenotype or score) of a gene means.

    ``lookup_key`` is what guideline tables are keyed by: a phenotype, an activity score as text, an allele presence; a list
    where one reported phenotype stands for several scores; None where the gene has no phenotype table.
    """

    gene: str
    diplotype: str | None
    alleles: tuple[str, ...]
    functions: tuple[str | None, ...]
    phenotype: str | None
    activity_score: str | None = None
    lookup_key: str | tuple[str, ...] | None = None
    inferred: bool = False
    """The looked-up diplotype was derived from what was called (lowest function, folded copies, single variant)."""


class PhenotypeAssigned(Model):
    """The phenotyper's event: phenotypes with the genotype event they came from (event-carried state)."""

    genotype: GenotypeCalled
    phenotypes: tuple[Phenotype, ...]
