"""All genes of one release called from one laboratory result, with a memo of what was called before.

Populations repeat themselves: most genes of most samples show one of a few patterns, and equal observations give equal
calls.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache

from knowledge.model import Matching, Ploidy
from knowledge.release import Release
from schemas.genotype import Call, CallStatus, GeneCall, ObservedGene
from schemas.lab_result import LabResult, Sex
from schemas.warning import Warning
from services.genotyper import reported
from services.genotyper.assembly import AssemblyCheck
from services.genotyper.calling import call_gene, decisive_variant
from services.genotyper.definition import GeneDefinition
from services.genotyper.notation import Notation
from services.genotyper.observation import Observation
from services.genotyper.options import Options
from services.genotyper.panel import build_panel
from services.genotyper.reading import read
from services.genotyper.reconcile import reconcile
from services.genotyper.research import MESSAGES as RESEARCH_MESSAGES
from services.genotyper.research import research_genes

MEMO_SIZE = 512
"""Patterns remembered for each gene."""

OUTSIDE = "outside-definitions"
COPY_NUMBER_NEEDED = "copy-number-needed"
MALE_DIPLOID = "male-called-diploid"
FEMALE_HAPLOID = "female-called-haploid"

MESSAGES = {
    MALE_DIPLOID: "two alleles at an X-linked gene of a male; they are called as if there were two copies",
    FEMALE_HAPLOID: "one allele at an X-linked gene of a female",
}
"""Warnings about sex and copies, by code."""


@dataclass(frozen=True, slots=True)
class Called:
    """What one result's rows and reports come to."""

    genotypes: tuple[GeneCall, ...]
    observed: dict[str, ObservedGene]
    warnings: tuple[Warning, ...]
    research: tuple[GeneCall, ...]


@dataclass(frozen=True, slots=True)
class _Matched:
    call: GeneCall
    plain: Call
    """The same without the gene, to stand beside a reported call."""
    observed: ObservedGene | None


class ReleaseCaller:
    """Calls genes under one release and one set of options."""

    def __init__(self, release: Release, options: Options) -> None:
        self.release = release
        self._options = options
        self._panel = build_panel(release.genes.values(), options.combinations)
        self._research = research_genes(release, options.research)
        self._research_panel = build_panel((gene for gene, _ in self._research), options.combinations)
        self._warning_of = {
            gene.symbol: Warning(code=code, message=RESEARCH_MESSAGES[code]) for gene, code in self._research
        }
        self._assembly = AssemblyCheck.of(tuple(release.genes.values()))
        self._notations = {symbol: Notation(gene) for symbol, gene in release.genes.items()}
        self._order = {definition.symbol: number for number, definition in enumerate(self._panel.genes)}
        self._match = tuple(_memo(definition, options) for definition in self._panel.genes)

    def call(self, result: LabResult) -> Called:
        """Every gene of the release, in the order of the symbols. Raises Rejected."""
        reading = read(result.genotypes, self._panel)
        self._assembly.check(result.genotypes, reading)
        lines, warnings = reported.by_gene(result.reported, self.release.genes)
        if reading.outside:
            message = f"{reading.outside} rows are at no position of the definitions"
            warnings += (Warning(code=OUTSIDE, message=message),)
        observed: dict[str, ObservedGene] = {}
        genotypes: list[GeneCall] = []
        for symbol, gene in self.release.genes.items():
            matched = self._matched(symbol, reading.observations, result.sex)
            if matched is not None and matched.observed is not None:
                observed[symbol] = matched.observed
            if symbol in lines:
                call = reported.read_gene(gene, lines[symbol], self._notations[symbol])
                genotypes.append(call if matched is None else reconcile(call, matched.plain))
            elif matched is not None:
                genotypes.append(matched.call)
            else:
                genotypes.append(GeneCall(gene=symbol, status=CallStatus.NOT_ASSAYED))
        return Called(tuple(genotypes), observed, warnings, self._research_calls(result))

    def _matched(self, symbol: str, observations: tuple[Observation, ...], sex: Sex) -> _Matched | None:
        number = self._order.get(symbol)
        if number is None:
            return None
        matched = self._match[number](observations[number])
        gene = self.release.genes[symbol]
        if gene.ploidy is not Ploidy.X_LINKED or not observations[number].seen:
            return matched
        code = _sex_code(observations[number], sex)
        if code is None:
            return matched
        warnings = (*matched.call.warnings, Warning(code=code, message=MESSAGES[code]))
        update = {"warnings": warnings}
        return _Matched(
            matched.call.model_copy(update=update), matched.plain.model_copy(update=update), matched.observed
        )

    def _research_calls(self, result: LabResult) -> tuple[GeneCall, ...]:
        if not self._research:
            return ()
        panel = self._research_panel
        reading = read(result.genotypes, panel)
        calls = []
        for definition, observation in zip(panel.genes, reading.observations, strict=True):
            call = _gene_call(definition, observation, None, self._options)
            update = {"warnings": (self._warning_of[definition.symbol], *call.warnings)}
            calls.append(call.model_copy(update=update))
        return tuple(calls)


def _memo(definition: GeneDefinition, options: Options) -> Callable[[Observation], _Matched]:
    @lru_cache(maxsize=MEMO_SIZE)
    def match(observation: Observation) -> _Matched:
        research = definition.gene.definition.matching is Matching.RESEARCH
        call = _gene_call(definition, observation, _uncalled(observation) if research else None, options)
        plain = Call(**{name: getattr(call, name) for name in Call.model_fields})
        return _Matched(call, plain, _observed(definition, observation))

    return match


def _uncalled(observation: Observation) -> Call:
    """The clinical call of a gene that small variants alone cannot call."""
    if not observation.with_row:
        return Call(status=CallStatus.NOT_ASSAYED)
    return Call(status=CallStatus.NO_CALL, reason=COPY_NUMBER_NEEDED, warnings=observation.warnings)


def _gene_call(definition: GeneDefinition, observation: Observation, given: Call | None, options: Options) -> GeneCall:
    call = given or call_gene(definition, observation, options)
    variants = dict(observation.extras)
    if call.status is CallStatus.NO_CALL and (decisive := decisive_variant(definition, observation)) is not None:
        variants[decisive[0]] = decisive[1]
    assayed = call.status is not CallStatus.NOT_ASSAYED
    return GeneCall(
        gene=definition.symbol,
        source="matched" if assayed else None,
        observed_variants=variants,
        **{name: getattr(call, name) for name in Call.model_fields},
    )


def _observed(definition: GeneDefinition, observation: Observation) -> ObservedGene | None:
    """The gene's rows in compact form; None where there are none."""
    if not observation.with_row:
        return None
    positions = definition.gene.definition.positions
    absent = definition.bits(definition.everything & ~observation.with_row)
    return ObservedGene(
        reference_gt=observation.reference_gt,
        absent=tuple(positions[column].pos for column in absent),
        rows=observation.other_rows,
        discarded_by_depth=observation.discarded_by_depth,
    )


def _sex_code(observation: Observation, sex: Sex) -> str | None:
    if sex is Sex.MALE and not observation.single:
        return MALE_DIPLOID
    if sex is Sex.FEMALE and observation.single:
        return FEMALE_HAPLOID
    return None
