"""What the dose equations ask of a patient, and what is missing for an answer."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from knowledge.clinical import BodySurface, DoseInput, InputKind
from knowledge.model import Gene
from schemas.clinical_context import Ancestry, Smoking
from schemas.genotype import GeneCall
from services.recommender.context.current import Context

_NORMAL = "Normal function"


@dataclass(frozen=True, slots=True)
class Dosed:
    """A patient as equations see one."""

    context: Context
    medications: frozenset[str]
    """Names of what is taken, as the release has them, in lower case."""
    calls: Mapping[str, GeneCall]
    genes: Mapping[str, Gene]
    assumed_inr: float
    body_surface: BodySurface

    @property
    def ancestry(self) -> Ancestry:
        return self.context.ancestry or Ancestry.UNKNOWN

    def alleles(self, gene: str) -> tuple[str, ...] | None:
        """The gene's two alleles; None where it has no call, or more than one diplotype is possible."""
        call = self.calls.get(gene)
        diplotypes = () if call is None else call.diplotypes
        return diplotypes[0].alleles if len(diplotypes) == 1 and len(diplotypes[0].alleles) == 2 else None

    def known(self, gene: str, alleles: Sequence[str]) -> tuple[str, ...] | None:
        """The gene's alleles as an equation knows them: another allele of normal function is the reference."""
        found = self.alleles(gene)
        if found is None:
            return None
        functions = {one.public_name or one.name: one.function for one in self.genes[gene].definition.alleles}
        return tuple(alleles[0] if name not in alleles and functions.get(name) == _NORMAL else name for name in found)

    def tested(self, gene: str, alleles: Sequence[str]) -> bool:
        """Whether these alleles were looked for: a laboratory's own call does not say, unless one of them was found."""
        call = self.calls.get(gene)
        if call is None:
            return False
        if set(self.alleles(gene) or ()) & set(alleles):
            return True
        return call.source == "matched" and not set(call.uncallable_haplotypes) & set(alleles)

    def value(self, asked: DoseInput, alleles: Sequence[str]) -> float | None:
        """The value of a term; None where it is missing. ``alleles``: those of the gene that the equation knows."""
        context = self.context
        match asked.kind:
            case InputKind.AGE_YEARS:
                return None if context.age is None else float(context.age)
            case InputKind.AGE_DECADES:
                return None if context.age is None else float(context.age // 10)
            case InputKind.HEIGHT_CM:
                return context.height_cm
            case InputKind.WEIGHT_KG:
                return context.weight_kg
            case InputKind.BODY_SURFACE_M2:
                return self._surface()
            case InputKind.TARGET_INR:
                return context.target_inr or self.assumed_inr
            case InputKind.SMOKER:
                return float(context.smoking is Smoking.CURRENT)
            case InputKind.INDICATION:
                return float(bool(set(context.indications or ()) & set(asked.values)))
            case InputKind.ANCESTRY:
                return float(self.ancestry in asked.values)
            case InputKind.MEDICATION:
                return float(bool(self.medications & {name.casefold() for name in asked.values}))
            case _:
                return self._of_gene(asked, alleles)

    def _of_gene(self, asked: DoseInput, alleles: Sequence[str]) -> float | None:
        found = self.known(asked.gene or "", alleles)
        if asked.kind is InputKind.GENE_UNKNOWN:
            return float(found is None)
        if found is None:
            return None
        if asked.kind is InputKind.ALLELE_COUNT:
            return float(sum(name in asked.values for name in found))
        # An allele that the equation does not know counts as its reference: the flow adjusts the dose for it.
        seen = sorted(name if name in alleles else alleles[0] for name in found)
        return float(seen == sorted(asked.values))

    def _surface(self) -> float | None:
        formula, height, weight = self.body_surface, self.context.height_cm, self.context.weight_kg
        if height is None or weight is None:
            return None
        return float(formula.factor * weight**formula.weight_power * height**formula.height_power)
