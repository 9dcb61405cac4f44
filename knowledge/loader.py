"""Opens the releases of a folder: what services and commands hold."""

from pathlib import Path
from threading import Lock

from pydantic import ValidationError

from knowledge.model import Manifest
from knowledge.release import MANIFEST, DamagedRelease, Release, from_files

FOLDER = Path(__file__).parent / "releases"
"""The releases that come with the software."""


class UnknownRelease(KeyError):
    """No release of this id; ``known`` lists the ids that there are."""

    def __init__(self, release: str, known: tuple[str, ...]) -> None:
        super().__init__(release)
        self.release = release
        self.known = known

    def __str__(self) -> str:
        return f"no knowledge release {self.release!r}; there are: {', '.join(self.known) or 'none'}"


class Releases:
    """The releases of one or more folders, each read once, when it is first asked for, and verified.

    A site keeps its own releases in a folder of its own beside the one that comes with the software.
    """

    def __init__(self, folder: Path | None = None, *more: Path) -> None:
        self.folders = (folder or FOLDER, *more)
        self._loaded: dict[str, Release] = {}
        self._lock = Lock()
        self._paths: dict[str, Path] = {}
        self._manifests: dict[str, Manifest] = {}
        for path in (path for folder in self.folders for path in sorted(folder.glob(f"*/{MANIFEST}"))):
            manifest = _manifest(path)
            if manifest.release in self._manifests:
                raise DamagedRelease(f"{path}: there is another release {manifest.release}")
            self._paths[manifest.release] = path.parent
            self._manifests[manifest.release] = manifest

    def ids(self) -> tuple[str, ...]:
        """In the order in which they came into force."""
        return tuple(sorted(self._manifests, key=lambda id_: (self._manifests[id_].in_force, id_)))

    def newest(self) -> str:
        """The release that came into force last. Raises UnknownRelease when there is none."""
        if not self._manifests:
            raise UnknownRelease("newest", ())
        return self.ids()[-1]

    def manifest(self, release: str) -> Manifest:
        """What the release says it is, without reading the rest. Raises UnknownRelease."""
        if release not in self._manifests:
            raise UnknownRelease(release, self.ids())
        return self._manifests[release]

    def load(self, release: str) -> Release:
        """The release, the same object every time. Raises UnknownRelease or DamagedRelease."""
        manifest = self.manifest(release)
        with self._lock:
            if release not in self._loaded:
                self._loaded[release] = _load(self._paths[release], manifest)
            return self._loaded[release]


def _manifest(path: Path) -> Manifest:
    try:
        manifest = Manifest.model_validate_json(path.read_bytes())
    except ValidationError as error:
        raise DamagedRelease(f"{path}: {error.errors()[0]['msg']}") from error
    if manifest.release != path.parent.name:
        raise DamagedRelease(f"{path}: is release {manifest.release}, in a folder of another name")
    return manifest


def _load(folder: Path, manifest: Manifest) -> Release:
    files = {name: (folder / name).read_bytes() for name in manifest.files if (folder / name).is_file()}
    return from_files((folder / MANIFEST).read_bytes(), files)
