"""What ``pgx explain --json`` prints: advice on one drug, traced back to the laboratory's event."""

from schemas.base import Model
from schemas.finding import Finding
from schemas.genotype import GeneCall, KnowledgeRef
from schemas.phenotype import Phenotype, ResultNote
from schemas.recommendation import CurrentMedication, Recommendation, Silence


class Site(Model):
    """A position of a gene's definition, as the result shows it."""

    position: str
    """``chr10:94781859``."""
    rsid: str | None
    ref: str
    genotype: str | None
    """As in VCF, with the bases it stands for (``0/1 G/A``); None where the position was not assessed."""
    differs: bool
    """Something else than the reference was seen, or it could not be read."""


class PhenotypeTrace(Model):
    """A phenotype and the rule that gave it."""

    phenotype: Phenotype
    basis: str
    """The rule in words: functions, scores and the range they fall into, or that the laboratory reported it."""
    source: str
    """Where the rule is from."""


class OtherResult(Model):
    """What a result says about a gene for which another one speaks."""

    result: ResultNote
    says: str


class GeneTrace(Model):
    """A gene behind the advice: how it came to its key."""

    gene: str
    keys: tuple[str, ...]
    """What advice on the drug is looked up with; nothing where the gene has no result."""
    call: GeneCall | None
    """With all candidates, and what the laboratory reported beside what was matched; None where no result has it."""
    definition: str | None
    """Source and version of the allele definitions; None for a gene that the release does not define."""
    phenotypes: tuple[PhenotypeTrace, ...]
    seen: tuple[Site, ...]
    missing: tuple[Site, ...]
    result: ResultNote | None
    """The result that speaks for the gene."""
    others: tuple[OtherResult, ...]


class RuleTrace(Model):
    """The release's row behind a recommendation."""

    row: str
    record: str
    keys: dict[str, tuple[str, ...]]
    """The row's alternatives for each gene."""
    edition: str
    source_ref: tuple[str, ...]
    curator: bool
    """Part of it rests on expert memory."""


class AdviceTrace(Model):
    """A recommendation with its citation, and the row that gave it."""

    recommendation: Recommendation
    rule: RuleTrace | None


class ResultTrace(Model):
    """A laboratory result behind the advice, and the event that brought it."""

    result: ResultNote
    event_source: str
    event_id: str
    sha256: str
    """Of the result's canonical content as bytes; the same content published again has the same."""
    knowledge: KnowledgeRef
    """Under which it was called."""
    software: str


class Explanation(Model):
    """Why a patient's advice on a drug is what it is, or why there is none."""

    tenant: str
    patient: str
    sequence: int
    drug: str
    rxnorm: str | None
    atc: tuple[str, ...]
    knowledge: KnowledgeRef
    advice: tuple[AdviceTrace, ...]
    silent: tuple[Silence, ...]
    genes: tuple[GeneTrace, ...]
    """All genes that the release has rows on the drug for, those with a result first."""
    results: tuple[ResultTrace, ...]
    findings: tuple[Finding, ...]
    """What is to be clarified about these results and genes."""
    medications: tuple[CurrentMedication, ...]
    """What the patient takes that is the drug or acts on one of the genes."""
