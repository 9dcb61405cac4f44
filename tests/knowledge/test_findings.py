"""Findings about inherited conditions: in every release for the genes it has, complete, careful and with sources."""

from dataclasses import replace

import pytest

from knowledge import validation
from knowledge.compile_findings import findings
from knowledge.model import Significance
from knowledge.release import Release
from knowledge.sources import TableError, Tables


def test_every_condition_is_in_both_releases_and_thrombophilia_since_2026(before: Release, after: Release) -> None:
    conditions = [{finding.gene for finding in release.findings} for release in (before, after)]
    assert conditions[0] == {"CACNA1S", "CFTR", "DPYD", "G6PD", "MT-RNR1", "RYR1", "UGT1A1"}
    assert conditions[1] - conditions[0] == {"F2", "F5"}


def test_not_finding_a_cause_is_said_never_to_rule_the_condition_out(after: Release) -> None:
    absent = [finding for finding in after.findings if finding.significance is Significance.NOT_FOUND]
    assert {finding.gene for finding in absent} == {finding.gene for finding in after.findings}
    for finding in absent:
        limits = " ".join(finding.limits)
        assert "not ruled out" in limits or "neither the disease nor being a carrier is ruled out" in limits, finding.id


def test_a_heterozygous_x_linked_deficiency_is_open_until_the_enzyme_is_measured(after: Release) -> None:
    variable = next(finding for finding in after.findings if finding.phenotypes == ("Variable",))
    assert variable.significance is Significance.POSSIBLE
    assert any("Measure enzyme activity" in care for care in variable.care)


def test_references_are_written_out(after: Release) -> None:
    for finding in after.findings:
        assert all(reference.title and reference.url.startswith("https://") for reference in finding.references)


def test_a_phenotype_without_a_finding_is_refused(after: Release) -> None:
    fewer = replace(after, findings=tuple(f for f in after.findings if f.phenotypes != ("Deficient",)))
    assert [str(found) for found in validation.inherited_conditions(fewer)] == [
        "finding: G6PD: 'Deficient' has 0 findings"
    ]


def test_a_finding_about_a_phenotype_that_the_gene_cannot_have_is_refused(after: Release) -> None:
    wrong = after.findings[0].model_copy(update={"id": "other", "phenotypes": ("Blue Metabolizer",)})
    more = replace(after, findings=(*after.findings, wrong))
    assert [found.check for found in validation.inherited_conditions(more)] == ["finding"]


@pytest.mark.parametrize("field", ["limits", "references"])
def test_a_finding_without_limits_or_references_is_refused(after: Release, field: str) -> None:
    bare = after.findings[0].model_copy(update={field: ()})
    changed = replace(after, findings=(bare, *after.findings[1:]))
    assert [found.check for found in validation.inherited_conditions(changed)] == ["source"]


def test_an_unknown_reference_is_a_table_error(tables: Tables) -> None:
    row = tables.findings.findings[0].model_copy(update={"references": ("nowhere",)})
    table = tables.findings.model_copy(update={"findings": (row,)})
    with pytest.raises(TableError, match="unknown references nowhere"):
        findings(table, {g.id: g for g in tables.guidelines}, {row.gene})
