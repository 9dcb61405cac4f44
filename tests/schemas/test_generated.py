"""The generated files are what the models say, and what the AsyncAPI project and JSON Schema accept."""

import json
import os
import shutil
import subprocess
import tempfile
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator, FormatChecker

from schemas import generate
from schemas.errors import Code
from schemas.serialise import to_json
from schemas.topics import LAB_RESULT, TOPICS, Topic
from tests.schemas.builders import lab_result, row, with_row
from tests.schemas.fixtures import stored

TOOL = Path(__file__).parent / "asyncapi"
WITH_VALUE = [topic for topic in TOPICS if topic.value is not None]


@pytest.mark.parametrize("path", generate.files())
def test_no_generated_file_is_stale(path: str) -> None:
    assert (generate.ROOT / path).read_text(encoding="utf-8") == generate.files()[path], (
        "run python -m schemas.generate"
    )


def test_nothing_but_generated_files_is_in_the_folder() -> None:
    present = {f"schemas/generated/{file.name}" for file in (generate.ROOT / "schemas/generated").iterdir()}
    assert present == {path for path in generate.files() if path.startswith("schemas/generated/")}


def test_every_code_is_documented() -> None:
    documented = generate.files()["docs/errors.md"]
    assert all(f"| `{code.value}` | {code.description} |" in documented for code in Code)


def validator(topic: Topic) -> Any:
    schema = generate.json_schema(topic)
    Draft202012Validator.check_schema(schema)
    return Draft202012Validator(schema, format_checker=FormatChecker())


@pytest.mark.parametrize("topic", WITH_VALUE, ids=lambda topic: topic.name)
def test_the_schema_describes_the_events(topic: Topic) -> None:
    for file in stored.files(topic):
        validator(topic).validate(json.loads(to_json(stored.model(topic, file.stem))))


def test_the_schema_of_the_lab_result_draws_the_line_where_the_parser_does() -> None:
    judge = validator(LAB_RESULT)
    for accepted in (
        lab_result(),
        lab_result(genotypes=None, reported=None, sex=None, note={"not": "ours"}),
        lab_result(genotypes=[], reported=[]),
        with_row(id=None, ps=None, ad=None, filter=None, alt=[], gt="."),
    ):
        assert judge.is_valid(accepted), accepted
    for refused in (
        lab_result(status="done"),
        lab_result(version="1"),
        lab_result(version=0),
        lab_result(tenant="a b"),
        lab_result(assembly="GRCh37"),
        lab_result(issued=...),
        lab_result(genotypes=[row(pos=0)]),
        lab_result(genotypes=[row(ref="")]),
        lab_result(genotypes=[row(gt="x/y")]),
        lab_result(genotypes=[row(alt=...)]),
        lab_result(reported=[{"diplotype": "*1/*2"}]),
    ):
        assert not judge.is_valid(refused), refused


@pytest.fixture(scope="session")
def asyncapi_parser() -> Path:
    """A folder outside the tree in which the AsyncAPI parser is installed."""
    demanded = bool(os.environ.get("CI"))
    if shutil.which("node") is None or shutil.which("npm") is None:
        if demanded:
            pytest.fail("Node.js and npm are needed for the AsyncAPI parser")
        pytest.skip("no Node.js here for the AsyncAPI parser")
    folder = Path(tempfile.gettempdir()) / f"pgx-asyncapi-parser-{os.getuid()}"
    if not (folder / "complete").exists():
        with tempfile.TemporaryDirectory(dir=tempfile.gettempdir()) as fresh:
            shutil.copy(TOOL / "package.json", fresh)
            install = ["npm", "install", "--no-package-lock", "--no-audit", "--no-fund", "--ignore-scripts", "--silent"]
            done = subprocess.run(install, cwd=fresh, capture_output=True, text=True, check=False)
            if done.returncode:
                if demanded:
                    pytest.fail(f"npm could not install the AsyncAPI parser: {done.stderr}")
                pytest.skip("npm could not install the AsyncAPI parser")
            folder.mkdir(mode=0o700, exist_ok=True)
            shutil.copytree(Path(fresh) / "node_modules", folder / "node_modules", dirs_exist_ok=True)
            (folder / "complete").touch()
    return folder


@pytest.mark.timeout(300)
def test_the_asyncapi_projects_own_parser_accepts_the_document(asyncapi_parser: Path) -> None:
    script = shutil.copy(TOOL / "validate.js", asyncapi_parser)
    document = generate.ROOT / "schemas/generated/asyncapi.json"
    done = subprocess.run(["node", script, str(document)], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
