"""Phenoconversion, warfarin, LOINC and the list of silent combinations: source tables to their typed form."""

from collections.abc import Iterator, Mapping
from typing import Any

from knowledge.clinical import (
    BodySurface,
    Code,
    Conversion,
    ConversionMethod,
    ConversionRule,
    DoseAdjustment,
    DoseInput,
    FlowStep,
    FlowSteps,
    Loinc,
    Phenoconversion,
    Precipitant,
    Reference,
    Silence,
    Untested,
    Warfarin,
    WarfarinAlgorithm,
    WarfarinCheck,
)

STRENGTHS = ("strong", "moderate", "weak")


def phenoconversion(table: Mapping[str, Any], rxnorm: Mapping[str, str]) -> Phenoconversion:
    """The phenoconversion tables; ``rxnorm`` gives the codes of the drugs that the release's drug table knows."""
    return Phenoconversion(
        version=table["version"],
        source=table["source"],
        note=table["note"],
        rules=tuple(_conversion_rule(row) for row in table["rules"]),
        precipitants=tuple(
            _precipitants(table, {**{drug: row["code"] for drug, row in table["rxnorm"].items()}, **rxnorm})
        ),
        references=tuple(Reference(**row) for row in table["references"]),
    )


def _conversion_rule(row: Mapping[str, Any]) -> ConversionRule:
    smoking = row.get("smoking", {})
    inducers = row.get("inducers")
    return ConversionRule(
        enzyme=row["enzyme"],
        genes=tuple(row.get("genes", [row["enzyme"]])),
        method=ConversionMethod(row["method"]),
        inhibitors=_conversions(row, "inhibitor"),
        inducers=_conversions(row, "inducer"),
        several_inhibitors=row.get("several_inhibitors"),
        inhibitor_and_inducer=row.get("inhibitor_and_inducer"),
        notes=tuple(
            text
            for text in (
                row.get("result"),
                f"inducers: {inducers}" if inducers else None,
                row.get("edge"),
                *(f"smoking: {name}: {text}" for name, text in smoking.items()),
            )
            if text
        ),
        evidence=row["evidence"],
        references=tuple(row["refs"]),
        provenance=row.get("provenance"),
    )


def _conversions(row: Mapping[str, Any], effect: str) -> dict[str, Conversion]:
    """By strength. A row without strengths (``inducer``) holds for all of them."""
    given = {s: row.get(f"{s}_{effect}", row.get(effect)) for s in STRENGTHS}
    return {strength: _conversion(cell) for strength, cell in given.items() if cell}


def _conversion(cell: Mapping[str, Any]) -> Conversion:
    result = cell.get("result")
    becomes = (
        result if result and result.endswith("Metabolizer") and "factor" not in cell and "map" not in cell else None
    )
    return Conversion(
        factor=cell.get("factor"),
        becomes=becomes,
        steps=cell.get("map", {}),
        note=None if becomes else result,
    )


def _precipitants(table: Mapping[str, Any], rxnorm: Mapping[str, str]) -> Iterator[Precipitant]:
    for enzyme, effects in table["precipitants"].items():
        for effect, rows in effects.items():
            for row in rows:
                strength = row["strength"].replace("-", " ").split()[0]
                qualified = None if strength == row["strength"] else f"strength: {row['strength']}"
                yield Precipitant(
                    enzyme=enzyme,
                    drug=row["drug"],
                    rxnorm=rxnorm.get(row["drug"]),
                    names=tuple(table["names"].get(row["drug"], {"names": ()})["names"]),
                    effect=effect.removesuffix("s"),
                    strength=strength,
                    class_by=row["class_by"],
                    certainty=row["certainty"],
                    sources=tuple(row["source"]),
                    note="; ".join(note for note in (qualified, row.get("note")) if note) or None,
                    curator="curator" in row["source"],
                )


def warfarin(table: Mapping[str, Any]) -> Warfarin:
    cpic, verification = table["cpic_2017"], table["verification"]["result"]
    return Warfarin(
        source=table["source"],
        drug=table["drug"],
        advised_by=table["advised_by"],
        adults_from=table["adults_from"],
        assumed_inr=table["assumed_inr"],
        body_surface=BodySurface(**table["body_surface"]),
        untested=tuple(Untested(**row) for row in table["untested"]),
        adjustments=tuple(DoseAdjustment(**row) for row in table["adjustments"]),
        other_drug_if={gene: tuple(phenotypes) for gene, phenotypes in table["other_drug_if"].items()},
        steps=FlowSteps(**table["steps"]),
        interactions=table["interactions"],
        algorithms=tuple(_equation(row, table["inputs"], verification) for row in table["algorithms"]),
        checks=tuple(
            [
                WarfarinCheck(
                    algorithm=row["algorithm"],
                    input=row["input"],
                    expected=row["expected_mg_per_week"],
                    unit="mg per week",
                    origin=row["from"],
                )
                for row in verification["recomputed"]
            ]
            + [
                WarfarinCheck(
                    algorithm=algorithm,
                    input=verification[name]["input"],
                    expected=verification[name][unit.replace(" ", "_")],
                    unit=unit,
                    origin="computed from the coefficients",
                )
                for name, algorithm, unit in (
                    ("example", "iwpc-pharmacogenetic", "mg per week"),
                    ("example_gage", "gage-2008", "mg per day"),
                    ("example_gage_clinical", "gage-2008-clinical", "mg per day"),
                )
            ]
        ),
        accuracy={name: row for name, row in verification.items() if isinstance(row, dict) and "mae" in row},
        clinic_rule=table["iwpc_dosing_table_note"],
        genotypes_used=tuple(cpic["genotypes_used"]),
        adult_flow=tuple(
            FlowStep(step=row["step"], condition=row["if"], advice=row["then"], note=row.get("note"))
            for row in cpic["adult_flow"]
        ),
        target_inr=cpic["target_inr"],
        strengths=cpic["strength"],
        paediatric=cpic["pediatric"],
    )


def _equation(
    row: Mapping[str, Any], inputs: Mapping[str, Any], verification: Mapping[str, Mapping[str, Any]]
) -> WarfarinAlgorithm:
    checked = verification.get(row.get("verified_as", ""), {})
    own = {name: value for name, value in row.items() if name != "verified_as"}
    return WarfarinAlgorithm(
        **own, inputs={term: DoseInput(**inputs[term]) for term in row["terms"]}, typical_error=checked.get("mae")
    )


def loinc(table: Mapping[str, Any]) -> Loinc:
    return Loinc(
        source=table["source"],
        warning=table["warning"],
        gene_interpretation=_codes(table["gene_interpretation"], _gene),
        gene_allele=_codes(table["gene_allele"], _gene),
        metabolizer_answers=_codes(table["metabolizer_answers"], _text),
        transporter_answers=_codes(table["transporter_answers"], _text),
        other_answers=_codes(table["other_answers"], _text),
        structure=_codes(table["structure"], lambda row: str(row["code"])),
        missing=tuple(_code(row) for row in table["gene_interpretation"] if row["code"] is None),
        not_pharmacogenomic=tuple(_code(row) for row in table["not_pharmacogenomic"]),
        answer_lists={name: text for name, text in table["answer_list"].items() if name != "evidence"},
    )


def _codes(rows: list[dict[str, Any]], key: Any) -> dict[str, Code]:
    return {key(row): _code(row) for row in rows if row["code"]}


def _code(row: Mapping[str, Any]) -> Code:
    return Code(
        code=row["code"],
        text=row["text"],
        certainty=row["certainty"],
        evidence=row["evidence"],
        component=row.get("loinc_component"),
    )


def _gene(row: Mapping[str, Any]) -> str:
    """``CYP2C19 gene allele`` is about CYP2C19, ``HLA-B*57:01`` about the allele, ``Gene product …`` about any gene."""
    gene = str(row["text"]).partition(" gene")[0]
    return "*" if gene.startswith("Gene product") else gene


def _text(row: Mapping[str, Any]) -> str:
    return str(row["text"])


def silences(rows: Mapping[str, tuple[str, ...]]) -> tuple[Silence, ...]:
    """``source|drug|population|GENE+GENE`` and its ``key|key`` combinations, taken apart."""

    def parsed() -> Iterator[Silence]:
        for about, combinations in sorted(rows.items()):
            source, drug, population, genes = about.split("|")
            yield Silence(
                source=source,
                drug=drug,
                population=population,
                genes=tuple(genes.split("+")),
                combinations=tuple(tuple(keys.split("|")) for keys in combinations),
            )

    return tuple(parsed())
