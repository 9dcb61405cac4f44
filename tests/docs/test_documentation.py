"""Tables in the documentation are current, its examples work, its links lead somewhere."""

import json
import re
from pathlib import Path

import pytest

from runtime.settings import table
from schemas import lab_result
from schemas.pseudonym import looks_personal

ROOT = Path(__file__).resolve().parents[2]
PAGES = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").glob("*.md")])


def test_the_readme_lists_every_setting() -> None:
    assert table() in (ROOT / "README.md").read_text(), "put runtime.settings.table() into README.md"


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_links_lead_to_files_that_exist(page: Path) -> None:
    targets = re.findall(r"\]\(([^)#:]+)(?:#[^)]*)?\)", page.read_text())
    assert [target for target in targets if not (page.parent / target).exists()] == []


def test_the_documented_lab_result_is_accepted() -> None:
    page = (ROOT / "docs/lab-result.md").read_text()
    (example,) = re.findall(r"```json\n(.*?)```", page, re.DOTALL)
    assert lab_result.parse_object(json.loads(example)).unknown_fields == ()


def test_the_documented_identifiers_are_refused_and_accepted_as_documented() -> None:
    page = (ROOT / "docs/lab-result.md").read_text()
    section = page[page.index("| refused | why |") : page.index("UUIDs, hashes")]
    refused = [code for row in section.splitlines()[2:] for code in re.findall(r"`([^`]+)`", row)]
    assert refused
    assert [code for code in refused if looks_personal(code) is None] == []
    assert looks_personal("p-7f3a91") is looks_personal("PAT000123") is looks_personal("p123456789") is None


def test_the_example_that_the_readme_publishes_is_one_line_and_accepted() -> None:
    text = (ROOT / "examples/message.json").read_text().replace("\n", "")
    assert lab_result.parse(text.encode()).key == "mercy/p-7f3a91"
