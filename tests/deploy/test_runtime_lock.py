"""The image's lock holds what the software imports at run time, in the versions that were tested."""

import re
import tomllib
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


def locked(path: str) -> dict[str, set[str]]:
    """Requirements with their hashes, by `name==version` and marker."""
    entries: dict[str, set[str]] = {}
    name = ""
    for line in (ROOT / path).read_text().splitlines():
        if match := re.match(r"([a-z0-9._-]+==[^ ;\\]+)", line):
            name = match[1]
            entries.setdefault(name, set())
        elif match := re.match(r"\s+--hash=(sha256:[0-9a-f]{64})", line):
            entries[name].add(match[1])
    return entries


def test_the_image_holds_what_was_tested() -> None:
    tested, shipped = locked("requirements.lock"), locked("deploy/requirements-runtime.lock")
    assert shipped
    assert all(shipped.values())
    assert {name: hashes for name, hashes in shipped.items() if tested.get(name) != hashes} == {}


def test_the_image_holds_every_dependency() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    names = {name.split("==")[0] for name in locked("deploy/requirements-runtime.lock")}
    wanted = {re.split(r"[<>=\[ ;]", dependency)[0] for dependency in project["dependencies"]}
    assert wanted <= names


def test_the_locks_name_no_download_address() -> None:
    for path in ("requirements.lock", "deploy/requirements-runtime.lock"):
        assert "://" not in (ROOT / path).read_text()
