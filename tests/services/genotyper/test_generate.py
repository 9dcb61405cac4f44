"""The generated part of the documentation is up to date."""

from knowledge.loader import Releases
from services.genotyper.generate import DOCUMENT, MARKER, RELEASE, generated


def test_documentation_lists_the_codes_and_ambiguities_of_the_code() -> None:
    _, marker, rest = DOCUMENT.read_text(encoding="utf-8").partition(MARKER)
    assert marker + rest == generated(Releases().load(RELEASE)), "run python -m services.genotyper.generate"
