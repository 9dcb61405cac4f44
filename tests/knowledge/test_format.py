"""The published schema of a release's files is up to date and fits the releases (of lists, every 40th fact)."""

import json
from pathlib import Path

import jsonschema
import pytest

from knowledge.format import FILES, document
from knowledge.loader import FOLDER

SCHEMA = Path(__file__).parents[2] / "docs" / "knowledge-release.schema.json"


def test_the_schema_is_up_to_date() -> None:
    current = "run: python -m knowledge.format > docs/knowledge-release.schema.json"
    assert SCHEMA.read_text(encoding="utf-8") == document(), current


@pytest.mark.parametrize("release", ["2025.11", "2026.11"])
def test_a_release_fits_the_schema(release: str) -> None:
    schema = json.loads(SCHEMA.read_text(encoding="utf-8"))
    folder = FOLDER / release
    for name in FILES:
        validator = jsonschema.Draft202012Validator({**schema["properties"][name], "$defs": schema["$defs"]})
        for path in [folder / name] if name != "genes/GENE.json" else folder.glob("genes/*.json"):
            content = json.loads(path.read_text(encoding="utf-8"))
            validator.validate(content[::40] if isinstance(content, list) else content)
