"""What is prepared from a release is prepared once, and for each release by itself."""

from dataclasses import replace

from knowledge.loader import Releases
from knowledge.once import once
from knowledge.release import Release

RELEASES = Releases()


def test_releases_of_the_same_content_share_what_is_prepared() -> None:
    asked = []

    @once
    def named(release: Release) -> str:
        asked.append(release.id)
        return f"of {release.id}"

    older, newer = RELEASES.load("2025.11"), RELEASES.load("2026.11")
    assert [named(one) for one in (older, newer, older, replace(older))] == [
        "of 2025.11", "of 2026.11", "of 2025.11", "of 2025.11",
    ]  # fmt: skip
    assert asked == ["2025.11", "2026.11"]


def test_what_is_prepared_for_one_purpose_is_not_for_another() -> None:
    release = RELEASES.load("2025.11")
    assert once(lambda one: one.id)(release) == release.id
    assert once(lambda one: len(one.genes))(release) == len(release.genes)
