"""A site's own releases are found where PGX_KNOWLEDGE_FOLDER says."""

from pathlib import Path

import pytest

from knowledge.loader import Releases
from runtime.settings import Settings, SettingsError


def test_releases_of_the_folder_stand_beside_those_of_the_software(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PGX_KNOWLEDGE_FOLDER", str(tmp_path))
    assert Settings.load().knowledge_folders == (tmp_path,)
    assert Releases(None, *Settings.load().knowledge_folders).ids() == ("2025.11", "2026.11")


def test_a_folder_that_is_not_there_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PGX_KNOWLEDGE_FOLDER", str(tmp_path / "nowhere"))
    with pytest.raises(SettingsError, match=r"PGX_KNOWLEDGE_FOLDER.*no folder"):
        Settings.load()


def test_without_the_setting_there_are_the_softwares_own_only() -> None:
    assert Settings.load().knowledge_folders == ()
