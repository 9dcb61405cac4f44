"""Lab results in VCF files, one for each sample."""

from collections.abc import Iterator, Mapping
from pathlib import Path

import orjson

from cli.lab_files import Document, Refusal
from knowledge.loader import Releases
from runtime.settings import Settings
from schemas.errors import Rejected
from services.genotyper.vcf import SampleFields, read, sample_map

_NAMES = (".vcf", ".vcf.gz", ".vcf.bgz")


def is_vcf(path: Path) -> bool:
    """Whether a file says by its name that it is a VCF."""
    return path.name.lower().endswith(_NAMES)


def documents(
    path: Path, general: SampleFields, samples: Mapping[str, SampleFields] | None
) -> Iterator[Document | Refusal]:
    """The samples of a file as lab results, at the positions that the newest release knows."""
    releases = Releases(None, *Settings.load().knowledge_folders)
    try:
        for number, result in enumerate(read(path, releases.load(releases.newest()), general, samples), start=1):
            yield Document(f"{path}:sample {number}", orjson.dumps(result))
    except Rejected as error:
        yield Refusal(str(path), error)


def read_sample_map(path: Path) -> dict[str, SampleFields]:
    """The table that says who the samples are. Raises ``Rejected``, ``OSError``, ``UnicodeDecodeError``."""
    with path.open(encoding="utf-8-sig", newline="") as lines:
        return sample_map(lines)
