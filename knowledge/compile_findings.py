"""Findings about inherited conditions: the source table to its typed form."""

from collections.abc import Collection, Mapping

from knowledge.model import Finding, FindingReference
from knowledge.sources import TableError
from knowledge.table_rows import FindingReferenceRow, FindingTable, GuidelineRow


def findings(
    table: FindingTable, guidelines: Mapping[str, GuidelineRow], genes: Collection[str]
) -> tuple[Finding, ...]:
    """The findings about these genes, with their references written out. Raises TableError for an unknown reference."""
    references = {row.id: _reference(row, guidelines) for row in table.references}
    found = []
    for row in table.findings:
        if unknown := sorted(set(row.references) - references.keys()):
            raise TableError(f"findings.json {row.id}: unknown references {', '.join(unknown)}")
        if row.gene in genes:
            facts = row.model_dump(exclude={"references"})
            found.append(Finding(**facts, references=tuple(references[name] for name in row.references)))
    return tuple(sorted(found, key=lambda one: (one.gene, one.id)))


def _reference(row: FindingReferenceRow, guidelines: Mapping[str, GuidelineRow]) -> FindingReference:
    if row.guideline is None:
        if row.title is None or row.url is None:
            raise TableError(f"findings.json {row.id}: a reference needs a title and a url, or a guideline")
        return FindingReference(title=row.title, url=row.url, pmid=row.pmid)
    guideline = guidelines.get(row.guideline)
    if guideline is None:
        raise TableError(f"findings.json {row.id}: unknown guideline {row.guideline}")
    return FindingReference(title=guideline.name, url=guideline.url, pmid=guideline.pmids)
