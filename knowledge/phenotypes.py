"""What a release's phenotype rules give for named alleles: to check the rules against published diplotype tables.

(The service assigns phenotypes to calls, with all that calls can lack; this only reads the tables.)
"""

from collections.abc import Iterable, Sequence

from knowledge.model import Gene, PhenotypeMethod, PhenotypeTable, ScoreBin

NOT_AVAILABLE = "n/a"


def phenotype(gene: Gene, alleles: Sequence[str]) -> tuple[str, str]:
    """Phenotype and activity score of one or two alleles; ``n/a`` for what the tables do not give.

    Raises KeyError for an allele that the gene does not have.
    """
    known = {allele.name: allele for allele in gene.definition.alleles}
    called = [known[name] for name in alleles]
    table = gene.phenotype
    if table.method is PhenotypeMethod.ACTIVITY_SCORE:
        values = [allele.activity_value for allele in called if allele.activity_value is not None]
        if len(values) < len(called):
            return table.no_score or NOT_AVAILABLE, NOT_AVAILABLE
        score = score_text(values)
        return bins_of(score, table.bins)[0], score
    functions = tuple(sorted(allele.function or "" for allele in called))
    given = (rule.phenotype for rule in table.rules for row in rule.functions if tuple(sorted(row)) == functions)
    return next(given, NOT_AVAILABLE), NOT_AVAILABLE


def score_text(values: Iterable[str]) -> str:
    """The sum of activity values as the guideline tables write it.

    >>> score_text(["1.0", "≥3.0"])
    '≥4.0'
    """
    texts = list(values)
    sign = "≥" if any(text.startswith("≥") for text in texts) else ""
    return sign + str(sum(float(text.removeprefix("≥")) for text in texts))


def bins_of(score: str, bins: Iterable[ScoreBin]) -> list[str]:
    """The phenotypes of the bins that hold the score: exactly one in a valid release."""
    n = float(score.removeprefix("≥"))
    return [
        b.phenotype
        for b in bins
        if (n > b.minimum or (n == b.minimum and b.minimum_included))
        and (b.maximum is None or n < b.maximum or (n == b.maximum and b.maximum_included))
    ]


def phenotypes(table: PhenotypeTable) -> set[str]:
    """Every phenotype that a table can give."""
    named = {rule.phenotype for rule in table.rules} | {bin_.phenotype for bin_ in table.bins}
    return named | ({table.no_score} if table.no_score else set())
