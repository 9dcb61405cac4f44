"""Published dose equations, solved for one patient."""

import math
from collections.abc import Callable
from dataclasses import dataclass

from knowledge.clinical import InputKind, WarfarinAlgorithm
from schemas.recommendation import DoseBasis, EquationDose
from services.recommender.dosing.patient import Dosed

_DAYS = 7
_PER_DAY = "mg per day"
_TRANSFORMS: dict[str, Callable[[float], float]] = {
    "square of the sum": lambda total: total**2,
    "exp of the sum": math.exp,
}
_FACTS = {
    InputKind.AGE_YEARS: ("birth_year",),
    InputKind.AGE_DECADES: ("birth_year",),
    InputKind.HEIGHT_CM: ("height_cm",),
    InputKind.WEIGHT_KG: ("weight_kg",),
    InputKind.BODY_SURFACE_M2: ("height_cm", "weight_kg"),
}


@dataclass(frozen=True, slots=True)
class Solution:
    """An equation's dose in mg per week, or what keeps it from giving one."""

    equation: WarfarinAlgorithm
    weekly: float | None
    missing: tuple[str, ...] = ()
    """Facts and genes."""
    outside: str | None = None
    """Why the patient is not one that it was made for."""

    @property
    def basis(self) -> DoseBasis:
        return DoseBasis.PHARMACOGENETIC if self.equation.genes else DoseBasis.CLINICAL

    def dose(self) -> EquationDose:
        """The dose as it is published. Raises ValueError where there is none."""
        if self.weekly is None:
            raise ValueError(f"{self.equation.id} gave no dose")
        return EquationDose(
            equation=self.equation.id,
            basis=self.basis,
            weekly_mg=round(self.weekly, 1),
            daily_mg=round(self.weekly / _DAYS, 1),
            typical_error_mg=self.equation.typical_error,
            reference=self.equation.reference,
            pmid=self.equation.pmid,
        )


def solve(equation: WarfarinAlgorithm, patient: Dosed, adjusted: frozenset[str]) -> Solution:
    """The equation's dose. ``adjusted``: alleles that it does not know, for which the dose is adjusted afterwards."""
    if (outside := _outside(equation, patient, adjusted)) is not None:
        return Solution(equation, None, outside=outside)
    total, missing = equation.intercept, dict[str, None]()
    for term, coefficient in equation.terms.items():
        asked = equation.inputs[term]
        value = patient.value(asked, equation.alleles.get(asked.gene or "", ()))
        if value is None:
            missing |= dict.fromkeys(_FACTS.get(asked.kind, (asked.gene or term,)))
        else:
            total += coefficient * value
    missing |= dict.fromkeys(gene for gene in equation.genes if patient.alleles(gene) is None)
    if missing:
        absent = {
            fact
            for fact in missing
            if fact not in ("birth_year", "height_cm", "weight_kg") or getattr(patient.context, fact) is None
        }
        return Solution(equation, None, missing=tuple(sorted(absent)))
    dose = _TRANSFORMS[equation.transform](total)
    return Solution(equation, dose * _DAYS if equation.output == _PER_DAY else dose)


def _outside(equation: WarfarinAlgorithm, patient: Dosed, adjusted: frozenset[str]) -> str | None:
    target = patient.context.target_inr
    if equation.target_inr is not None and target is not None:
        low, high = equation.target_inr
        if not low <= target <= high:
            return f"{equation.id} was made for a target INR from {low:g} to {high:g}"
    for gene in equation.genes:
        known = patient.known(gene, equation.alleles[gene]) or ()
        strange = sorted(set(known) - set(equation.alleles[gene]) - adjusted)
        if strange:
            return f"{equation.id} does not know {gene} {', '.join(strange)}"
    return None
