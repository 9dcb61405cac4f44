"""Every difference from the reference is argued."""

from pathlib import Path

from tests.conformance.differences import DIFFERENCES

ARGUMENTS = Path(__file__).parents[2] / "docs" / "conformance.md"


def test_each_difference_has_its_argument() -> None:
    headings = {
        line.lstrip("# ").strip() for line in ARGUMENTS.read_text(encoding="utf-8").splitlines() if line.startswith("#")
    }
    assert set(DIFFERENCES.values()) <= headings
