"""Makes releases from the source tables: ``python -m knowledge.compiler``.

The slow and forgiving part, run by curators and tests, never by services. It refuses tables of the wrong form, facts
without a source, and releases that ``knowledge.validation`` finds fault with; a release that exists is immutable and is
only verified to still come out of the tables byte for byte.
"""

import argparse
import sys
from collections.abc import Iterable, Sequence
from pathlib import Path

from knowledge import compile_clinical, compile_findings, compile_genes, keys
from knowledge.canonical import to_bytes
from knowledge.identity import rule_id
from knowledge.loader import FOLDER
from knowledge.model import Drug, Guideline, Manifest, Rule
from knowledge.release import FORMAT, Release, seal
from knowledge.sources import TABLES, TableError, Tables, read
from knowledge.table_rows import DrugRow, RecordRow, ReleaseRow
from knowledge.table_validation import validate_tables
from knowledge.validation import InvalidRelease, validate
from knowledge.writer import write

CURATOR = "curator"


def compile_release(tables: Tables, release: str) -> Release:
    """The release of this id, as ``releases.json`` composes it. Raises TableError or InvalidRelease."""
    row = next((row for row in tables.composition.releases if row.release == release), None)
    if row is None:
        raise TableError(f"releases.json: no release {release}")
    if findings := validate_tables(tables, records(tables, row)):
        raise InvalidRelease(findings)
    compiled = seal(_compose(tables, row))
    if findings := validate(compiled, tables.composition.exceptions):
        raise InvalidRelease(findings)
    return compiled


def records(tables: Tables, row: ReleaseRow) -> Iterable[RecordRow]:
    """The guideline rows that the release serves."""
    for record in tables.records:
        carried = row.follows in record.releases and record.id not in row.withdrawn
        if row.release in record.releases or carried:
            yield record


def _compose(tables: Tables, row: ReleaseRow) -> Release:
    order = {r.release: number for number, r in enumerate(tables.composition.releases)}
    genes = {
        symbol: compile_genes.gene(table, tables.phenotypes[symbol], tables.special.get(symbol), row)
        for symbol, table in sorted(tables.genes.items())
        if order[tables.composition.genes_since.get(symbol, row.release)] <= order[row.release]
    }
    served = list(records(tables, row))
    rules = sorted((_rule(record) for record in served), key=lambda r: (r.drug, r.source, r.population, r.record))
    drug_names = {record.drug for record in served}
    guideline_ids = {record.guideline for record in served}
    return Release(
        manifest=Manifest(
            format=FORMAT,
            release=row.release,
            in_force=row.in_force,
            description=row.description,
            files={},
            sources=tables.composition.sources,
            licences=tables.composition.licences,
        ),
        sha256="",
        genes=genes,
        rules=tuple(rules),
        drugs={d.name: _drug(d) for d in sorted(tables.drugs, key=lambda d: d.name) if d.name in drug_names},
        guidelines={
            g.id: Guideline(id=g.id, source=g.source, name=g.name, url=g.url, pmid=g.pmids)
            for g in sorted(tables.guidelines, key=lambda g: g.id)
            if g.id in guideline_ids
        },
        phenoconversion=compile_clinical.phenoconversion(
            tables.phenoconversion, {d.name: d.rxnorm for d in tables.drugs if d.rxnorm}
        ),
        warfarin=compile_clinical.warfarin(tables.warfarin),
        loinc=compile_clinical.loinc(tables.loinc),
        unanswered=compile_clinical.silences(tables.unanswered.get(row.release, {})),
        doubts=tables.doubts,
        findings=compile_findings.findings(tables.findings, {g.id: g for g in tables.guidelines}, genes),
        research={s: compile_genes.research_gene(t) for s, t in sorted(tables.research.items())},
    )


def _rule(record: RecordRow) -> Rule:
    return Rule(
        id=rule_id(record.source, record.drug, record.population, record.genes),
        drug=record.drug,
        source=record.source,
        guideline=record.guideline or "",
        population=record.population,
        genes=record.genes,
        any_gene=record.genes_logic == "any",
        actions=record.action,
        dose_change=record.dose_change,
        dose_fixed=record.dose_fixed,
        dose_limit=record.dose_limit,
        alternatives=record.alternatives,
        strength=record.strength or "",
        implication=record.evidence_implication or None,
        notes=record.notes,
        edition=record.edition,
        source_ref=record.source_ref,
        curator=CURATOR in (record.fact_source or "") or any(CURATOR in note for note in record.notes),
        record=record.id,
    )


def _drug(row: DrugRow) -> Drug:
    return Drug(
        name=row.name,
        rxnorm=row.rxnorm,
        atc=row.atc,
        curator=any(CURATOR in (source or "") for source in (row.atc_source, row.rxnorm_source)),
    )


def record_unanswered(tables: Tables, folder: Path) -> None:
    """Writes ``unanswered.json``: for every release the combinations of keys that a source has no row for."""
    table = {
        row.release: tables.unanswered[row.release]
        if row.frozen
        else keys.as_table(keys.silences(_compose(tables, row)))
        for row in tables.composition.releases
    }
    (folder / "unanswered.json").write_bytes(to_bytes(table, 2))


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m knowledge.compiler", description="Compile the knowledge releases.")
    parser.add_argument("release", nargs="*", help="releases to make (default: all that are not frozen)")
    parser.add_argument("--tables", type=Path, default=TABLES, help="folder of the source tables")
    parser.add_argument(
        "--record-unanswered",
        action="store_true",
        help="first write unanswered.json anew from the other tables, for its difference to be reviewed",
    )
    parser.add_argument("--into", type=Path, default=FOLDER, help="folder of the releases")
    options = parser.parse_args(arguments)
    try:
        tables = read(options.tables)
        if options.record_unanswered:
            record_unanswered(tables, options.tables)
            tables = read(options.tables)
        for name in options.release or [row.release for row in tables.composition.releases if not row.frozen]:
            release = compile_release(tables, name)
            write(release, options.into)
            print(f"{name}: {len(release.genes)} genes, {len(release.rules)} rules, sha256 {release.sha256}")
    except (TableError, InvalidRelease, FileExistsError) as error:
        print(error, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
