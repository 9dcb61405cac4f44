"""All genes of one release called from one laboratory result.

Populations repeat themselves: most genes of most samples show one of a few patterns, and equal observations give equal
calls. So two memos stand before matching: of genotypes in a known layout, and of observations.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from knowledge.model import Gene, Ploidy
from knowledge.release import Release
from schemas.genotype import CallStatus, GeneCall, ObservedGene
from schemas.lab_result import Genotype, LabResult, Reported, Sex
from schemas.warning import Warning
from services.genotyper import reported
from services.genotyper.assembly import AssemblyCheck
from services.genotyper.gene_caller import Answer, GeneCaller
from services.genotyper.layout import MAX_LAYOUTS, Genotypes, Layout
from services.genotyper.notation import Notation
from services.genotyper.options import Options
from services.genotyper.panel import build_panel
from services.genotyper.reading import observe, read, sort_rows
from services.genotyper.reconcile import reconcile
from services.genotyper.research import MESSAGES as RESEARCH_MESSAGES
from services.genotyper.research import research_genes

MEMO_SIZE = 512
"""Patterns of genotypes remembered for each gene of a layout."""

OUTSIDE = "outside-definitions"
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
class Kept:
    """What is known of a gene beside its rows."""

    extras: tuple[tuple[str, str], ...]
    """Positions of interest outside the definition, as ``Observation.extras``."""
    lines: tuple[Reported, ...]
    sex: Sex


@dataclass(frozen=True, slots=True)
class _KnownLayout:
    layout: Layout
    answers: tuple[dict[Genotypes, Answer], ...]
    """For each gene what was answered to its genotypes."""


class ReleaseCaller:
    """Calls genes under one release and one set of options."""

    def __init__(self, release: Release, options: Options) -> None:
        self.release = release
        self._panel = build_panel(release.genes.values(), options.combinations)
        self._callers = tuple(GeneCaller(definition, options) for definition in self._panel.genes)
        research = research_genes(release, options.research)
        self._research_panel = build_panel((gene for gene, _ in research), options.combinations)
        self._research = tuple(
            GeneCaller(definition, options, Warning(code=code, message=RESEARCH_MESSAGES[code]))
            for definition, (_, code) in zip(self._research_panel.genes, research, strict=True)
        )
        self._assembly = AssemblyCheck.of(tuple(release.genes.values()))
        self._notations = {symbol: Notation(gene) for symbol, gene in release.genes.items()}
        self._layouts: list[_KnownLayout] = []
        numbers = {definition.symbol: number for number, definition in enumerate(self._panel.genes)}
        self._genes = tuple((symbol, gene, numbers.get(symbol)) for symbol, gene in release.genes.items())
        self._not_assayed = {s: GeneCall(gene=s, status=CallStatus.NOT_ASSAYED) for s in release.genes}

    def call(self, result: LabResult) -> Called:
        """Every gene of the release, in the order of the symbols. Raises Rejected."""
        answers, outside = self._answers(result.genotypes)
        lines, warnings = reported.by_gene(result.reported, self.release.genes)
        if outside:
            message = f"{outside} rows are at no position of the definitions"
            warnings += (Warning(code=OUTSIDE, message=message),)
        observed: dict[str, ObservedGene] = {}
        genotypes: list[GeneCall] = []
        for symbol, gene, number in self._genes:
            answer = None if number is None else answers[number]
            if answer is not None and answer.observed is not None:
                observed[symbol] = answer.observed
            genotypes.append(self._call(gene, answer, lines.get(symbol, ()), result.sex))
        return Called(tuple(genotypes), observed, warnings, self._research_calls(result.genotypes))

    def again(self, symbol: str, rows: Sequence[Genotype], kept: Kept) -> GeneCall:
        """One gene called from rows that were observed before. Raises Rejected."""
        gene = self.release.genes[symbol]
        number = next(number for known, _, number in self._genes if known == symbol)
        answer = None
        if number is not None:
            definition = self._panel.genes[number]
            seen = observe(definition, sort_rows(rows, self._panel).entries[number])
            answer = self._callers[number].answer(seen._replace(extras=kept.extras))
        return self._call(gene, answer, kept.lines, kept.sex)

    def _call(self, gene: Gene, answer: Answer | None, lines: Sequence[Reported], sex: Sex) -> GeneCall:
        """A gene's call from what its rows come to and what the laboratory reports."""
        matched = self._not_assayed[gene.symbol]
        if answer is not None and answer.observed is not None:
            matched = _with_sex(answer, sex) if gene.ploidy is Ploidy.X_LINKED else answer.call
        if not lines:
            return matched
        return reconcile(reported.read_gene(gene, lines, self._notations[gene.symbol]), matched)

    def forget(self, layouts: bool = False) -> None:
        """Empties the memos of genotypes and observations; also the known layouts where asked."""
        if layouts:
            self._layouts = []
        for known in self._layouts:
            for answers in known.answers:
                answers.clear()
        for caller in self._callers:
            caller.forget()

    def _answers(self, rows: Sequence[Genotype]) -> tuple[Sequence[Answer], int]:
        """What each gene's rows come to, and the number of rows outside all genes."""
        for known in self._layouts:
            if (split := known.layout.split(rows)) is not None:
                return [
                    self._remembered(known, gene, gts, rows) for gene, gts in enumerate(split)
                ], known.layout.outside
        by_gene = sort_rows(rows, self._panel)
        observations = tuple(map(observe, self._panel.genes, by_gene.entries))
        self._assembly.check_rows(rows, observations, by_gene.outside)
        if Layout.possible(rows):
            known = _KnownLayout(Layout(rows, by_gene), tuple({} for _ in self._callers))
            self._layouts = [known, *self._layouts[: MAX_LAYOUTS - 1]]
        answers = [caller.answer(seen) for caller, seen in zip(self._callers, observations, strict=True)]
        return answers, by_gene.outside

    def _remembered(self, known: _KnownLayout, gene: int, gts: Genotypes, rows: Sequence[Genotype]) -> Answer:
        answers = known.answers[gene]
        answer = answers.get(gts)
        if answer is None:
            caller = self._callers[gene]
            answer = caller.answer(known.layout.genes[gene].observe(caller.definition, gts, rows))
            if len(answers) >= MEMO_SIZE:
                del answers[next(iter(answers))]
            answers[gts] = answer
        return answer

    def _research_calls(self, rows: Sequence[Genotype]) -> tuple[GeneCall, ...]:
        if not self._research:
            return ()
        observations = read(rows, self._research_panel).observations
        return tuple(caller.answer(seen).call for caller, seen in zip(self._research, observations, strict=True))


def _with_sex(answer: Answer, sex: Sex) -> GeneCall:
    """The call of an X-linked gene with a warning where the number of alleles does not go with the sex."""
    if sex is Sex.MALE and answer.copies == 2:
        code = MALE_DIPLOID
    elif sex is Sex.FEMALE and answer.copies == 1:
        code = FEMALE_HAPLOID
    else:
        return answer.call
    warning = Warning(code=code, message=MESSAGES[code])
    return answer.call.model_copy(update={"warnings": (*answer.call.warnings, warning)})
