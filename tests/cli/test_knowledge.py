"""``pgx knowledge``: looking at releases without any service."""

import json

import pytest

from knowledge.loader import Releases
from tests.cli.commands import pgx


def test_every_installed_release_is_listed_with_its_digest() -> None:
    releases = Releases()
    listed = [json.loads(line) for line in pgx("knowledge", "list", "--json").stdout.splitlines()]
    assert [one["release"] for one in listed] == list(releases.ids())
    assert [one["sha256"] for one in listed] == [releases.load(id_).sha256 for id_ in releases.ids()]
    assert len(pgx("knowledge", "list").stdout.splitlines()) == len(listed)


@pytest.mark.parametrize(
    ("what", "kind"), [([], "release"), (["CYP2C19"], "gene"), (["Clopidogrel"], "drug"), (["r0001"], "rule")]
)
def test_a_release_and_its_parts_can_be_shown(what: list[str], kind: str) -> None:
    shown = pgx("knowledge", "show", "2026.11", *what, "--json")
    assert json.loads(shown.stdout)["kind"] == kind
    assert pgx("knowledge", "show", "2026.11", *what).stdout.strip()


def test_what_is_not_there_is_not_found() -> None:
    for arguments in (["show", "1999.1"], ["show", "2026.11", "nonsense"], ["diff", "2025.11", "1999.1"]):
        done = pgx("knowledge", *arguments)
        assert done.returncode == 3
        assert done.stdout == b""


def test_the_difference_between_two_releases_is_told_fact_by_fact() -> None:
    differences = [
        json.loads(line) for line in pgx("knowledge", "diff", "2025.11", "2026.11", "--json").stdout.splitlines()
    ]
    assert {"F2", "F5"} <= {one["subject"] for one in differences if one["area"] == "genes" and one["kind"] == "added"}
    assert pgx("knowledge", "diff", "2026.11", "2026.11", "--json").stdout == b""
    assert b"TPMT" in pgx("knowledge", "diff", "2025.11", "2026.11").stdout
