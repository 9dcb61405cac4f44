"""The example files are what their generator makes, so that they follow the release they are spelt from."""

import runpy
from pathlib import Path

import pytest

EXAMPLES = Path(__file__).parents[2] / "examples"
DOCUMENTS = runpy.run_path(str(EXAMPLES / "make_examples.py"))["documents"]()


@pytest.mark.parametrize("name", DOCUMENTS)
def test_the_file_is_up_to_date(name: str) -> None:
    assert (EXAMPLES / name).read_text(encoding="utf-8") == DOCUMENTS[name]


def test_the_whole_panel_has_every_position_of_the_definitions_once() -> None:
    rows = [line.split("\t")[:2] for line in DOCUMENTS["whole-panel.vcf"].splitlines() if not line.startswith("#")]
    assert len(rows) == len({tuple(row) for row in rows})
    assert len(rows) > 1_200
