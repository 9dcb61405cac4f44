"""What follows from a patient's genes and context together: effective phenotypes, advice, doses, medications. Pure."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from knowledge.clinical import Precipitant
from knowledge.release import Release
from schemas.finding import Finding
from schemas.genotype import GeneCall
from schemas.phenotype import Conversion, Phenotype
from schemas.recommendation import CurrentMedication, DoseEstimate, Phenoconverted, Recommendation, Silence
from services.recommender.advised import Advised
from services.recommender.context.current import Context
from services.recommender.context.medications import Taken, drug_names
from services.recommender.context.phenoconversion import phenoconversion
from services.recommender.dosing.flow import dose_flow
from services.recommender.findings import findings
from services.recommender.guidance import guidance, guide
from services.recommender.silence import place

_Found = tuple[Advised, Sequence[Phenotype]]
"""What a row says to the patient, and the phenotypes that it was looked up with."""


@dataclass(frozen=True, slots=True)
class Advice:
    """All that is said to a patient's hospital."""

    phenotypes: tuple[Phenotype, ...]
    advised: tuple[Advised, ...]
    silent: tuple[Silence, ...] = ()
    findings: tuple[Finding, ...] = ()
    medications: tuple[CurrentMedication, ...] = ()
    dose_estimates: tuple[DoseEstimate, ...] = ()
    """Of drugs that no recommendation carries one for."""

    @property
    def recommendations(self) -> tuple[Recommendation, ...]:
        """What is advised, as it is published."""
        return tuple([one.recommendation for one in self.advised])


def prepare(release: Release) -> None:
    """Make ready what the first patient under a release would otherwise wait for."""
    guidance(release)
    findings(release, (), ())
    drug_names(release)
    phenoconversion(release)
    dose_flow(release)


def advise(
    release: Release, genotypes: Sequence[GeneCall], phenotypes: Sequence[Phenotype], context: Context | None = None
) -> Advice:
    """The advice for one patient. Same arguments, same result; nothing else enters.

    Rows are looked up with effective phenotypes. Two kinds of drugs are looked up otherwise: what a drug does to its
    own enzyme is part of its guideline already, and dose equations have terms of their own for interacting drugs, so
    that the guideline around them is asked with the genetic phenotypes.
    """
    if context is None:
        guided = guide(release, genotypes, phenotypes)
        found = findings(release, genotypes, phenotypes)
        return Advice(tuple(phenotypes), guided.advised, guided.silent, found)
    taken = drug_names(release).recognise(context.medications)
    conversion = phenoconversion(release)
    effective = conversion.effective(phenotypes, taken)
    flow = dose_flow(release)
    seen_by: dict[str, Sequence[Phenotype]] = {
        drug: conversion.effective(phenotypes, [other for other in taken if drug not in other.drugs])
        for drug in sorted({drug for one in taken if one.precipitants for drug in one.drugs})
    }
    seen_by[flow.drug] = phenotypes
    patients_drugs = {drug for one in taken for drug in one.drugs}
    advised: list[Advised] = []
    estimate: DoseEstimate | None = None
    carried = False
    looked_up, silent = _looked_up(release, genotypes, effective, seen_by)
    for one, seen in looked_up:
        rule = one.row.advice.rule
        more: dict[str, Any] = {}
        if rule.drug in patients_drugs:
            more["current_medication"] = True
        if converted := tuple(_converted(one.row.keys, seen)):
            more["phenoconverted"] = converted
        if rule.drug == flow.drug and flow.leaves_dose_open(rule.source, rule.population):
            estimate = estimate or flow.estimate(context, taken, genotypes, phenotypes)
            carried = True
            more["dose_estimate"] = estimate
        advised.append(one.with_more(more) if more else one)
    if not carried and flow.drug in patients_drugs:
        estimate = flow.estimate(context, taken, genotypes, phenotypes)
    return Advice(
        effective,
        tuple(advised),
        silent,
        findings(release, genotypes, phenotypes),
        tuple(map(_medication, taken)),
        (estimate,) if estimate is not None and not carried else (),
    )


def _looked_up(
    release: Release,
    genotypes: Sequence[GeneCall],
    effective: Sequence[Phenotype],
    seen_by: Mapping[str, Sequence[Phenotype]],
) -> tuple[list[_Found], tuple[Silence, ...]]:
    """The advice and the silences, in their orders."""
    differing: dict[str, Sequence[Phenotype]] = {
        drug: seen for drug, seen in seen_by.items() if _keys(seen) != _keys(effective)
    }
    guided = guide(release, genotypes, effective)
    found: list[_Found] = [(one, effective) for one in guided.advised if one.row.advice.rule.drug not in differing]
    silent = [one for one in guided.silent if one.drug not in differing]
    if not differing:
        return found, guided.silent
    for drug, seen in differing.items():
        guided = guide(release, genotypes, seen, {drug})
        found += [(one, seen) for one in guided.advised]
        silent += guided.silent
    return sorted(found, key=_order), tuple(sorted(silent, key=place))


def _keys(phenotypes: Sequence[Phenotype]) -> list[Any]:
    return [one.effective for one in phenotypes]


def _order(found: _Found) -> str:
    return found[0].row.order


def _converted(keys: Mapping[str, str], seen: Sequence[Phenotype]) -> Iterable[Phenoconverted]:
    for gene, key in keys.items():
        of_gene = [
            one
            for one in seen
            if one.gene == gene and one.effective is not None and one.effective.outcome is Conversion.CONVERTED
        ]
        if of_gene:
            effective = of_gene[0].effective
            by_phenotype = effective is not None and key == effective.phenotype
            genetic = dict.fromkeys(
                text
                for one in of_gene
                for text in ((one.phenotype,) if by_phenotype else _texts(one.lookup_key))
                if text
            )
            causes = effective.cause if effective is not None else ()
            yield Phenoconverted(
                gene=gene,
                genetic=" or ".join(genetic) or None,
                because="; ".join(f"{one.drug} is a {one.strength} {one.effect}" for one in causes),
            )


def _texts(key: str | tuple[str, ...] | None) -> tuple[str, ...]:
    return () if key is None else (key,) if isinstance(key, str) else key


def _medication(taken: Taken) -> CurrentMedication:
    said = taken.medication
    return CurrentMedication(
        name=said.name,
        rxnorm=said.rxnorm,
        atc=said.atc,
        since=None if said.since is None else said.since.isoformat().replace("+00:00", "Z"),
        drugs=taken.drugs,
        interactions=_interactions(taken.precipitants),
        recognised=taken.recognised,
    )


def _interactions(precipitants: Iterable[Precipitant]) -> dict[str, str]:
    found: dict[str, list[str]] = {}
    for one in sorted(precipitants, key=lambda one: (one.enzyme, one.effect, one.drug)):
        found.setdefault(one.enzyme, []).append(f"{one.strength} {one.effect}")
    return {enzyme: ", ".join(dict.fromkeys(classes)) for enzyme, classes in found.items()}
