"""VCF files through the whole system."""

import gzip
import json
from pathlib import Path

from tests.pipeline.deployment import Deployment

WHOLE_PANEL = Path(__file__).parents[2] / "examples" / "whole-panel.vcf"


def test_a_whole_panel_is_called_and_advised_on(deployment: Deployment, tenant: str, tmp_path: Path) -> None:
    compressed = tmp_path / "panel.vcf.gz"
    compressed.write_bytes(gzip.compress(WHOLE_PANEL.read_bytes()))
    options = ["--tenant", tenant, "--patient", "p-vcf", "--laboratory", "lab", "--sex", "female"]
    plain = deployment.pgx("submit", str(WHOLE_PANEL), *options, check=True).stdout.decode().split("\t")
    again = deployment.pgx("submit", str(compressed), *options, check=True).stdout.decode().split("\t")
    assert plain[:2] == again[:2], "the same content is the same event"

    deployment.wait_for_events(tenant, 1)
    report = json.loads(deployment.pgx("report", "p-vcf", "--tenant", tenant, "--json", check=True).stdout)
    called = {call["gene"]: [one["label"] for one in call["diplotypes"]] for call in report["genotypes"]}
    assert called["CYP2C19"] == ["*2/*2"]
    assert called["SLCO1B1"] == ["*1/*5"]
    assert called["TPMT"] == ["*1/*3A"]
    scores = {one["gene"]: one["activity_score"] for one in report["phenotypes"]}
    assert scores["DPYD"] == "1.0"
    [result] = report["results"]
    assert result["accession"] == plain[1]
    assert b"S-20261123-0417" not in b"".join(message.value or b"" for message in deployment.messages_of(tenant))


def test_a_table_says_who_the_samples_are(deployment: Deployment, tenant: str, tmp_path: Path) -> None:
    table = tmp_path / "samples.tsv"
    table.write_text(f"sample\ttenant\tpatient\taccession\nS-20261123-0417\t{tenant}\tp-table\tT-1\n")
    done = deployment.pgx("submit", str(WHOLE_PANEL), "--samples", str(table), check=True)
    assert done.stdout.decode().split("\t")[1] == "T-1"
    [event] = deployment.wait_for_events(tenant, 1)
    assert event["patient"] == "p-table"


def test_a_file_that_is_no_vcf_is_refused_and_options_need_one(deployment: Deployment, tmp_path: Path) -> None:
    broken = tmp_path / "broken.vcf"
    broken.write_text("nothing of the kind\n")
    refused = deployment.pgx("submit", str(broken))
    assert refused.returncode == 1
    assert str(broken) in refused.stderr.decode()
    other = tmp_path / "result.json"
    other.write_text("{}")
    assert deployment.pgx("submit", str(other), "--patient", "p-1").returncode == 2
