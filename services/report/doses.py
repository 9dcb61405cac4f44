"""A calculated starting dose in the words of the report."""

from dataclasses import dataclass

from schemas.recommendation import DoseBasis, DoseEstimate

STARTING_DOSE = "Starting dose"
FOR_STARTING = "For starting only; it does not replace measuring the effect."
_BASIS = {
    DoseBasis.PHARMACOGENETIC: "from genes and clinical facts",
    DoseBasis.CLINICAL: "from clinical facts alone",
}


@dataclass(frozen=True, slots=True)
class Dose:
    """What the equations give for one drug, or why they give nothing."""

    drug: str
    amount: str
    """``2.7 mg a day (19.1 mg a week, plausible 10.6 to 27.6), from …``, or that none was calculated and why."""
    guideline: tuple[str, ...]
    """Steps of the guideline's flow that apply, in their order."""
    missing: tuple[str, ...]
    """Facts that would allow an estimate, or a better one."""
    assumed: tuple[str, ...]
    not_considered: tuple[str, ...]
    doubts: tuple[str, ...]

    @property
    def remarks(self) -> tuple[tuple[str, str], ...]:
        """Each with its label; those about which there is nothing to say are left out."""
        said = (
            ("guideline", self.guideline),
            ("missing", self.missing),
            ("taken for granted", self.assumed),
            ("not considered", self.not_considered),
            ("less sure", self.doubts),
        )
        return tuple((label, "; ".join(texts)) for label, texts in said if texts)


def dose(estimate: DoseEstimate) -> Dose:
    """The estimate in words; doses in mg as they were calculated."""
    return Dose(
        drug=estimate.drug,
        amount=_amount(estimate),
        guideline=tuple(step.advice for step in estimate.steps),
        missing=tuple(map(_fact, estimate.missing)),
        assumed=estimate.assumptions,
        not_considered=estimate.not_considered,
        doubts=tuple(reason.removesuffix(".") for reason in estimate.confidence_reasons),
    )


def _amount(estimate: DoseEstimate) -> str:
    if estimate.daily_mg is None or estimate.weekly_mg is None:
        return f"none calculated: {estimate.refused}" if estimate.refused else "none calculated"
    spread = ""
    if estimate.weekly_low_mg is not None and estimate.weekly_high_mg is not None:
        spread = f", plausible {estimate.weekly_low_mg} to {estimate.weekly_high_mg}"
    return f"{estimate.daily_mg} mg a day ({estimate.weekly_mg} mg a week{spread}), {_BASIS[estimate.basis]}"


def _fact(name: str) -> str:
    """``height_cm`` as ``height``."""
    return name.removesuffix("_cm").removesuffix("_kg").replace("_", " ")
