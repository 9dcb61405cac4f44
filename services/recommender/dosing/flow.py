"""The guideline's flow: whether to calculate from genes, how to adjust the dose, when to think of another drug."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from knowledge.clinical import DoseAdjustment, Precipitant, Warfarin
from knowledge.model import Gene
from knowledge.once import once
from knowledge.release import Release
from schemas.clinical_context import Ancestry, Indication, Smoking
from schemas.genotype import GeneCall
from schemas.phenotype import Phenotype
from schemas.recommendation import DoseBasis, DoseEstimate, DoseStep
from services.recommender import confidence
from services.recommender.context.current import Context
from services.recommender.context.medications import Taken
from services.recommender.dosing.equations import Solution, solve
from services.recommender.dosing.patient import Dosed

_ALL = "*"
_BODY = ("birth_year", "height_cm", "weight_kg")


class DoseFlow:
    """The dose equations of one release with the flow around them."""

    def __init__(self, release: Release) -> None:
        self._table: Warfarin = release.warfarin
        self._genes: Mapping[str, Gene] = release.genes
        self._advice = {step.step: step.advice for step in release.warfarin.adult_flow}
        self._adjusted = frozenset(name for one in release.warfarin.adjustments for name in one.alleles)
        self._doubts = tuple(
            doubt.text for doubt in release.doubts if doubt.topic == "warfarin" and doubt.lowers_confidence
        )

    @property
    def drug(self) -> str:
        """The drug that the flow is about."""
        return self._table.drug

    @property
    def genes(self) -> frozenset[str]:
        """Genes that the equations and the flow look at."""
        table = self._table
        terms = {one.gene for equation in table.algorithms for one in equation.inputs.values() if one.gene is not None}
        known = {gene for equation in table.algorithms for gene in (*equation.genes, *equation.alleles)}
        adjusted, untested = ({one.gene for one in table.adjustments}, {one.gene for one in table.untested})
        return frozenset(terms | known | adjusted | untested | table.other_drug_if.keys())

    def calculates_as(self, other: "DoseFlow") -> bool:
        """Whether every patient's dose comes to the same under both; reasons may differ."""
        same = self._table == other._table
        return same and all(self._genes.get(gene) == other._genes.get(gene) for gene in self.genes)

    def leaves_dose_open(self, source: str, population: str) -> bool:
        """Whether this source's rows on the drug leave the dose to the flow."""
        return self._table.advised_by == {"source": source, "population": population}

    def estimate(
        self, context: Context, taken: Sequence[Taken], genotypes: Sequence[GeneCall], phenotypes: Sequence[Phenotype]
    ) -> DoseEstimate:
        """A starting dose for the patient, or why there is none."""
        table = self._table
        if context.age is None:
            return self._refused("the year of birth is not known", missing=_missing_of(context))
        if context.age <= table.adults_from:
            return self._refused(
                f"the equations are for adults; children: {table.paediatric['otherwise']}, or"
                f" {table.paediatric['european_ancestry_with_VKORC1_and_CYP2C9']}"
            )
        names = frozenset(name for one in taken for name in one.names)
        calls = {call.gene: call for call in genotypes}
        patient = Dosed(context, names, calls, self._genes, table.assumed_inr, table.body_surface)
        step = self._clinical_only(patient)
        solved = [solve(one, patient, self._adjusted) for one in table.algorithms]
        usable = [one for one in solved if one.weekly is not None and not (step and one.equation.genes)]
        missing = tuple(sorted({fact for one in solved for fact in one.missing} | set(self._untested(patient))))
        if not usable:
            outside = dict.fromkeys(one.outside for one in solved if one.outside)
            why = "; ".join(filter(None, outside)) or f"not known: {', '.join(missing)}"
            return self._refused(why, missing=missing)
        return self._answer(_Answer(patient, usable, step, missing), taken, phenotypes)

    def _answer(self, found: "_Answer", taken: Sequence[Taken], phenotypes: Sequence[Phenotype]) -> DoseEstimate:
        usable = sorted(found.usable, key=lambda one: one.basis is not DoseBasis.PHARMACOGENETIC)
        first = usable[0]
        steps = list(self._steps(found, first, phenotypes))
        low = high = first.weekly or 0.0
        for one in steps:
            if one.factor_low is not None and one.factor_high is not None:
                low, high = low * one.factor_low, high * one.factor_high
        error = first.equation.typical_error or 0.0
        middle = (low + high) / 2
        reasons = tuple(self._reasons(found, first, steps))
        return DoseEstimate(
            drug=self.drug,
            basis=first.basis,
            weekly_mg=round(middle, 1),
            daily_mg=round(middle / 7, 1),
            weekly_low_mg=round(max(low - error, 0.0), 1),
            weekly_high_mg=round(high + error, 1),
            equations=tuple(one.dose() for one in usable),
            steps=tuple(steps),
            missing=found.missing,
            assumptions=tuple(self._assumptions(found.patient)),
            not_considered=tuple(self._not_considered(taken)),
            confidence=confidence.REDUCED if reasons else confidence.HIGH,
            confidence_reasons=reasons,
        )

    def _refused(self, why: str, missing: tuple[str, ...] = ()) -> DoseEstimate:
        return DoseEstimate(
            drug=self.drug, basis=DoseBasis.NONE, refused=why, missing=missing, confidence=confidence.HIGH
        )

    def _clinical_only(self, patient: Dosed) -> int | None:
        """The step that keeps the dose from being calculated from genes, if one does."""
        needed = {gene for one in self._table.algorithms for gene in one.genes}
        if any(patient.alleles(gene) is None for gene in needed):
            return self._table.steps.genes_unknown
        for rule in self._table.untested:
            if patient.ancestry in rule.ancestry and not patient.tested(rule.gene, rule.alleles):
                return rule.step
        return None

    def _untested(self, patient: Dosed) -> Iterator[str]:
        for rule in self._table.untested:
            affected = patient.ancestry in (*rule.ancestry, Ancestry.UNKNOWN)
            if affected and patient.alleles(rule.gene) is not None and not patient.tested(rule.gene, rule.alleles):
                yield f"{rule.gene} {', '.join(rule.alleles)}"
        if patient.context.ancestry is None:
            yield "ancestry"

    def _steps(self, found: "_Answer", first: Solution, phenotypes: Sequence[Phenotype]) -> Iterator[DoseStep]:
        if found.clinical_step is not None:
            yield DoseStep(step=found.clinical_step, advice=self._advice[found.clinical_step])
        if first.basis is DoseBasis.PHARMACOGENETIC:
            calculate = self._table.steps.calculate
            yield DoseStep(step=calculate, advice=self._advice[calculate])
            yield from self._adjustments(found.patient)
        other = self._table.other_drug_if
        if any(one.phenotype in other.get(one.gene, ()) for one in phenotypes):
            yield DoseStep(step=self._table.steps.other_drug, advice=self._advice[self._table.steps.other_drug])

    def _adjustments(self, patient: Dosed) -> Iterator[DoseStep]:
        for one in self._table.adjustments:
            ancestry = patient.ancestry
            if (one.ancestry and ancestry not in one.ancestry) or ancestry in one.not_ancestry:
                continue
            if carried := _carried(one, patient):
                low, high = one.one if carried == 1 else one.two
                yield DoseStep(
                    step=one.step,
                    advice=self._advice[one.step],
                    factor_low=low,
                    factor_high=high,
                    strength=one.strength.get(ancestry, one.strength[_ALL]),
                )

    def _assumptions(self, patient: Dosed) -> Iterator[str]:
        context = patient.context
        if context.target_inr is None:
            yield f"target INR {self._table.assumed_inr:g}"
        if context.smoking in (None, Smoking.UNKNOWN):
            yield "not a smoker"
        if context.indications is None:
            yield f"no {Indication.DVT_OR_PE.value.replace('-', ' ')}"
        if patient.ancestry is Ancestry.UNKNOWN:
            yield "ancestry not known: equations use their term for that, the flow takes it as not African"
        yield f"age {context.age} on {context.as_of:%Y-%m-%d}, by the year of birth"

    def _not_considered(self, taken: Sequence[Taken]) -> Iterator[str]:
        known = {name.casefold() for one in self._table.algorithms for i in one.inputs.values() for name in i.values}
        acting: dict[Precipitant, None] = dict.fromkeys(p for one in taken for p in one.precipitants)
        for one in acting:
            if one.enzyme == self._table.interactions and one.drug.casefold() not in known:
                yield f"{one.drug}: {one.strength} {one.enzyme} {one.effect}"

    def _reasons(self, found: "_Answer", first: Solution, steps: Sequence[DoseStep]) -> Iterator[str]:
        yield from self._doubts
        clinical = next((one.weekly for one in found.usable if one.basis is DoseBasis.CLINICAL), None)
        if clinical is not None and first.weekly is not None and not clinical / 2 <= first.weekly <= clinical * 2:
            yield f"less than half or more than twice the clinical dose ({self._table.clinic_rule})"
        if found.patient.ancestry is Ancestry.UNKNOWN and any(one.step == self._table.steps.calculate for one in steps):
            yield "the patient's ancestry is not known, and the flow depends on it"


@dataclass(frozen=True, slots=True)
class _Answer:
    patient: Dosed
    usable: Sequence[Solution]
    clinical_step: int | None
    missing: tuple[str, ...]


def _carried(adjustment: DoseAdjustment, patient: Dosed) -> int:
    """How many of the patient's two chromosomes carry what the adjustment is about."""
    if adjustment.variant is not None:
        call = patient.calls.get(adjustment.gene)
        observed = call.observed_variants.get(adjustment.variant, "") if call is not None else ""
        return sum(base in adjustment.bases for base in observed.replace("|", "/").split("/"))
    return sum(name in adjustment.alleles for name in patient.alleles(adjustment.gene) or ())


def _missing_of(context: Context) -> tuple[str, ...]:
    return tuple(fact for fact in _BODY if getattr(context, fact) is None)


@once
def dose_flow(release: Release) -> DoseFlow:
    """The release's flow, prepared the first time it is asked for."""
    return DoseFlow(release)
