"""Findings about inherited conditions, from the phenotypes that the genes alone come to. Pure.

What a release says about a phenotype holds for everyone who has it; drugs that the patient takes change nothing here.
"""

from collections.abc import Iterable, Sequence

from knowledge import model
from knowledge.once import once
from knowledge.release import Release
from schemas.filled import filled
from schemas.finding import Finding, Reference, Significance
from schemas.genotype import GeneCall
from schemas.phenotype import Phenotype
from services.recommender import confidence
from services.recommender.evidence import Evidence, Reasons
from services.recommender.keys import Reading, State

_ORDER = {significance: number for number, significance in enumerate(Significance)}


class Findings:
    """The statements of one release, prepared once and asked for each patient."""

    def __init__(self, release: Release) -> None:
        self._statements = {
            (statement.gene, phenotype): _known(statement)
            for statement in release.findings
            for phenotype in statement.phenotypes
        }
        named = {statement.gene for statement in release.findings}
        self._genes = {symbol: gene for symbol, gene in release.genes.items() if symbol in named}
        self._reading = Reading(self._genes, {})
        self._reasons = Reasons(self._genes, release.doubts)

    def of(self, genotypes: Sequence[GeneCall], phenotypes: Sequence[Phenotype]) -> tuple[Finding, ...]:
        """The patient's findings: what was found first, then by condition and gene."""
        genetic = [_without_drugs(one) for one in phenotypes if one.gene in self._genes]
        of_genes = self._reading.states(genetic)
        evidence = Evidence(self._reasons, genotypes, of_genes)
        met: dict[str, tuple[Finding, list[State]]] = {}
        for state in (state for of_gene in of_genes.values() for state in of_gene):
            statement = self._statements.get((state.gene, state.phenotypes[0].phenotype or ""))
            if statement is not None:
                met.setdefault(statement.finding, (statement, []))[1].append(state)
        found = [_completed(statement, tuple(behind), evidence) for statement, behind in met.values()]
        return tuple(sorted(_telling(found), key=_order))


def _known(statement: model.Finding) -> Finding:
    """All that is the same for every patient."""
    return Finding(
        finding=statement.id,
        condition=statement.condition,
        significance=Significance[statement.significance.name],
        gene=statement.gene,
        phenotype="",
        diplotype=None,
        meaning=statement.meaning,
        care=statement.care,
        limits=statement.limits,
        references=tuple(Reference(**reference.model_dump()) for reference in statement.references),
        confidence=confidence.HIGH,
        confidence_reasons=(),
        results=(),
        preliminary=False,
    )


def _completed(statement: Finding, behind: tuple[State, ...], evidence: Evidence) -> Finding:
    known = evidence.behind(behind)
    more = {
        "phenotype": " or ".join(dict.fromkeys(state.phenotypes[0].phenotype or "" for state in behind)),
        "diplotype": known.diplotypes.get(statement.gene),
        "confidence": confidence.of(known.reasons),
        "confidence_reasons": known.reasons,
        "results": known.results,
        "preliminary": known.preliminary,
    }
    return filled(Finding, statement.__dict__ | more, statement.model_fields_set)


def _without_drugs(phenotype: Phenotype) -> Phenotype:
    return phenotype if phenotype.effective is None else phenotype.model_copy(update={"effective": None})


def _telling(found: Sequence[Finding]) -> Iterable[Finding]:
    """Without the statement that one gene shows no cause of a condition where another gene shows one."""
    shown = {one.condition for one in found if one.significance is Significance.FOUND}
    return (one for one in found if one.significance is not Significance.NOT_FOUND or one.condition not in shown)


def _order(finding: Finding) -> tuple[int, str, str, str]:
    return (_ORDER[finding.significance], finding.condition, finding.gene, finding.finding)


@once
def _prepared(release: Release) -> Findings:
    return Findings(release)


def findings(release: Release, genotypes: Sequence[GeneCall], phenotypes: Sequence[Phenotype]) -> tuple[Finding, ...]:
    """The findings of one patient. Same arguments, same result; nothing else enters."""
    return _prepared(release).of(genotypes, phenotypes)
