"""``pgx evaluate`` as the scripts of laboratories rely on it."""

import json
import subprocess
from pathlib import Path
from typing import Any

import pytest

from schemas.lab_result import MAX_BYTES
from tests.cli.commands import PGX, lab_result, pgx, surroundings

FIELDS = ["accession", "outcome", "knowledge", "genotypes", "phenotypes", "recommendations", "warnings"]


def lines(*results: Any) -> bytes:
    return b"".join((one if isinstance(one, bytes) else json.dumps(one).encode()) + b"\n" for one in results)


def answers(done: "subprocess.CompletedProcess[bytes]") -> list[dict[str, Any]]:
    return [json.loads(line) for line in done.stdout.splitlines()]


def test_every_line_is_answered_in_order_whatever_it_is() -> None:
    first, second = lab_result(accession="first"), lab_result(accession="second")
    bad = [b"{", b"", b"null", lab_result(accession="37", assembly="GRCh37"), b"\xff\xfe", lab_result(status="done")]
    done = pgx("evaluate", standard_input=lines(first, *bad, second))
    found = answers(done)
    assert [one["outcome"] for one in found] == ["evaluated", *["rejected"] * len(bad), "evaluated"]
    assert [one["accession"] for one in found] == ["first", None, None, None, "37", None, "A-1", "second"]
    assert [one["error"]["code"] for one in found[1:-1]] == [
        "not-json", "empty-value", "invalid-field", "wrong-assembly", "not-json", "invalid-field",
    ]  # fmt: skip
    assert list(found[4]) == ["accession", "outcome", "error"]
    assert list(found[4]["error"]) == ["code", "message", "path"]
    assert found[4]["error"]["path"] == "assembly"
    assert done.returncode == 1
    assert done.stderr == b""


def test_the_answer_has_the_documented_fields() -> None:
    done = pgx("evaluate", "-", standard_input=lines(lab_result()))
    assert done.returncode == 0
    [answer] = answers(done)
    assert [name for name in answer if name in FIELDS] == FIELDS
    genes = [call["gene"] for call in answer["genotypes"]]
    assert genes == sorted(genes)
    assert set(answer["knowledge"]) == {"release", "sha256"}


def test_a_bare_result_and_an_envelope_around_it_are_answered_alike() -> None:
    result = lab_result()
    envelope = {"specversion": "1.0", "id": "1", "source": "/lab", "type": "pgx.lab-result.v1", "data": result}
    bare, enclosed = pgx("evaluate", standard_input=lines(result, envelope)).stdout.splitlines()
    assert bare == enclosed


def test_stages_leave_out_what_was_not_asked_for() -> None:
    for stage, fields in (("genotype", {"genotypes"}), ("phenotype", {"genotypes", "phenotypes"})):
        [answer] = answers(pgx("evaluate", "--stage", stage, standard_input=lines(lab_result())))
        assert answer.keys() & {"genotypes", "phenotypes", "recommendations"} == fields


def test_the_release_can_be_chosen(tmp_path: Path) -> None:
    file = tmp_path / "result.jsonl"
    file.write_bytes(lines(lab_result()))
    [older] = answers(pgx("evaluate", str(file), "--knowledge", "2025.11"))
    [by_setting] = answers(pgx("evaluate", str(file), settings={"knowledge_release": "2025.11"}))
    [newest] = answers(pgx("evaluate", str(file)))
    assert older["knowledge"]["release"] == by_setting["knowledge"]["release"] == "2025.11"
    assert newest["knowledge"]["release"] != "2025.11"


def test_all_candidates_are_the_top_ones_and_more() -> None:
    genotypes = [
        {"chrom": "chr12", "pos": 21176804, "ref": "A", "alt": ["G"], "gt": "0/1"},
        {"chrom": "chr12", "pos": 21178615, "ref": "T", "alt": ["C"], "gt": "0/1"},
    ]
    results = lines(lab_result(reported=[], genotypes=genotypes))
    counts = {}
    for candidates in ("top", "all"):
        [answer] = answers(pgx("evaluate", "--candidates", candidates, "--stage", "genotype", standard_input=results))
        [call] = [one for one in answer["genotypes"] if one["gene"] == "SLCO1B1"]
        counts[candidates] = [one["label"] for one in call["diplotypes"]]
    assert set(counts["top"]) < set(counts["all"])


def test_many_processes_answer_as_one_does() -> None:
    genes = ("CYP2C19", "CYP2D6", "CYP2C9", "nonsense")
    many = [lab_result(accession=f"A-{n}", reported=[{"gene": genes[n % 4], "diplotype": "*1/*2"}]) for n in range(300)]
    many[100] = b"{"
    alone, together = (pgx("evaluate", "--processes", n, standard_input=lines(*many)) for n in ("1", "3"))
    assert alone.stdout == together.stdout
    assert alone.returncode == together.returncode == 1


def test_json_over_several_lines_is_answered_line_by_line_and_its_author_told_why() -> None:
    printed = json.dumps(lab_result(), indent=2).encode()
    done = pgx("evaluate", standard_input=printed)
    assert done.returncode == 1
    assert {one["outcome"] for one in answers(done)} == {"rejected"}
    assert len(answers(done)) == len(printed.splitlines())
    assert done.stderr.count(b"jq -c") == 1


def test_an_endless_line_is_refused_in_bounded_memory_and_the_next_is_answered() -> None:
    done = pgx("evaluate", standard_input=lines(b"[" + b" " * (20 * MAX_BYTES) + b"]", lab_result()))
    assert [one["outcome"] for one in answers(done)] == ["rejected", "evaluated"]
    assert answers(done)[0]["error"]["code"] == "too-large"


def test_a_line_is_answered_before_the_next_one_comes() -> None:
    running = subprocess.Popen(
        [*PGX, "evaluate"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=surroundings()
    )
    assert running.stdin
    assert running.stdout
    for accession in ("one", "two"):
        running.stdin.write(lines(lab_result(accession=accession)))
        running.stdin.flush()
        assert json.loads(running.stdout.readline())["accession"] == accession
    running.communicate()
    assert running.returncode == 0


def test_a_reader_that_goes_away_is_no_error_worth_words() -> None:
    many = lines(*(lab_result(accession=f"A-{number}") for number in range(200)))
    for processes in ("1", "2"):
        running = subprocess.Popen(
            [*PGX, "evaluate", "--processes", processes],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=surroundings(),
        )  # fmt: skip
        assert running.stdin
        assert running.stdout
        assert running.stderr
        running.stdin.write(many)
        running.stdin.close()
        running.stdout.readline()
        running.stdout.close()
        assert running.stderr.read() == b""
        assert running.wait(60) != 0


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["--knowledge", "1999.1"], b"2025.11"),
        (["no-such-file.jsonl"], b"no-such-file.jsonl"),
        (["--stage", "nonsense"], b"--stage"),
        (["--processes", "0"], b"--processes"),
        (["--nonsense"], b"--nonsense"),
    ],
)
def test_what_cannot_be_asked_for_is_a_usage_error(arguments: list[str], says: bytes) -> None:
    done = pgx("evaluate", *arguments)
    assert done.returncode == 2
    assert done.stdout == b""
    assert says in done.stderr
    assert b"Traceback" not in done.stderr
