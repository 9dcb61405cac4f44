"""Puts releases on disk, once and for all."""

from pathlib import Path

from knowledge.release import MANIFEST, Release, manifest_bytes, to_files


def write(release: Release, folder: Path) -> None:
    """Writes the release as a new folder. Raises FileExistsError when it is there with other content."""
    content = {MANIFEST: manifest_bytes(release.manifest), **to_files(release)}
    target = folder / release.id
    if target.exists():
        if not same(content, target):
            raise FileExistsError(f"{target}: exists with other content; a release is never changed, make a new one")
        return
    for name, data in content.items():
        path = target / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)


def same(content: dict[str, bytes], folder: Path) -> bool:
    """Whether the folder holds exactly these files."""
    there = {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()}
    return there == content.keys() and all((folder / name).read_bytes() == data for name, data in content.items())
