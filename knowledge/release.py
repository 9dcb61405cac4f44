"""A knowledge release in memory, and its one form as files."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any, TypeVar

from pydantic import TypeAdapter, ValidationError

from knowledge.canonical import to_bytes
from knowledge.clinical import Loinc, Phenoconversion, Silence, Warfarin
from knowledge.model import Doubt, Drug, Fact, Finding, Gene, Guideline, Manifest, ResearchGene, Rule

FORMAT = 1
MANIFEST = "manifest.json"

_RULES = TypeAdapter(tuple[Rule, ...])
_DRUGS = TypeAdapter(tuple[Drug, ...])
_GUIDELINES = TypeAdapter(tuple[Guideline, ...])
_SILENCES = TypeAdapter(tuple[Silence, ...])
_DOUBTS = TypeAdapter(tuple[Doubt, ...])
_FINDINGS = TypeAdapter(tuple[Finding, ...])
_RESEARCH = TypeAdapter(tuple[ResearchGene, ...])

T = TypeVar("T")


class DamagedRelease(Exception):
    """A release's files are not what its manifest says, or not of this format."""


@dataclass(frozen=True)
class Release:
    """All facts of one release. Everything in it is immutable; treat the mappings as such."""

    manifest: Manifest
    sha256: str
    """Of the manifest's bytes, and so of every file."""
    genes: Mapping[str, Gene]
    """By symbol, in the order of the symbols."""
    rules: tuple[Rule, ...]
    drugs: Mapping[str, Drug]
    guidelines: Mapping[str, Guideline]
    phenoconversion: Phenoconversion
    warfarin: Warfarin
    loinc: Loinc
    unanswered: tuple[Silence, ...]
    """Where a source has rows for a drug but none for a reachable combination of keys."""
    doubts: tuple[Doubt, ...] = ()
    findings: tuple[Finding, ...] = ()
    """What phenotypes say about inherited conditions, by gene."""
    research: Mapping[str, ResearchGene] = field(default_factory=dict)
    """Genes outside the clinical definitions; never to be mixed with ``genes``."""

    @property
    def id(self) -> str:
        return self.manifest.release


def to_files(release: Release) -> dict[str, bytes]:
    """The release's files by name, without the manifest: one fact a line, always the same bytes."""
    files = {f"genes/{symbol}.json": to_bytes(_plain(gene), 3) for symbol, gene in release.genes.items()}
    lists: dict[str, tuple[Fact, ...]] = {
        "rules.json": release.rules,
        "drugs.json": tuple(release.drugs.values()),
        "guidelines.json": tuple(release.guidelines.values()),
        "unanswered.json": release.unanswered,
        "doubts.json": release.doubts,
        "findings.json": release.findings,
        "research.json": tuple(release.research.values()),
    }
    files |= {name: to_bytes([_plain(fact) for fact in facts], 1) for name, facts in lists.items()}
    files["phenoconversion.json"] = to_bytes(_plain(release.phenoconversion), 2)
    files["warfarin.json"] = to_bytes(_plain(release.warfarin), 2)
    files["loinc.json"] = to_bytes(_plain(release.loinc), 2)
    return dict(sorted(files.items()))


def seal(release: Release) -> Release:
    """The release with the digests of its files in its manifest, and its own hash."""
    manifest = release.manifest.model_copy(update={"files": digests(to_files(release))})
    return replace(release, manifest=manifest, sha256=sha256(manifest_bytes(manifest)))


def digests(files: Mapping[str, bytes]) -> dict[str, str]:
    return {name: sha256(content) for name, content in sorted(files.items())}


def manifest_bytes(manifest: Manifest) -> bytes:
    return to_bytes(_plain(manifest), 2)


def from_files(manifest: bytes, files: Mapping[str, bytes]) -> Release:
    """Reads a release and checks every file against the manifest. Raises DamagedRelease."""
    head = _read(MANIFEST, Manifest.model_validate_json, manifest)
    if head.format != FORMAT:
        raise DamagedRelease(f"{head.release}: format {head.format}, this software reads format {FORMAT}")
    for name, digest in head.files.items():
        if name not in files:
            raise DamagedRelease(f"{head.release}: {name} is missing")
        if sha256(files[name]) != digest:
            raise DamagedRelease(f"{head.release}: {name} was changed after the release was made")

    def read(name: str, validate: Any) -> Any:
        if name not in head.files:
            raise DamagedRelease(f"{head.release}: {name} is not in the manifest")
        return _read(name, validate, files[name])

    genes: dict[str, Gene] = {
        gene.symbol: gene
        for gene in (read(name, Gene.model_validate_json) for name in sorted(head.files) if name.startswith("genes/"))
    }
    return Release(
        manifest=head,
        sha256=sha256(manifest),
        genes=dict(sorted(genes.items())),
        rules=read("rules.json", _RULES.validate_json),
        drugs={drug.name: drug for drug in read("drugs.json", _DRUGS.validate_json)},
        guidelines={row.id: row for row in read("guidelines.json", _GUIDELINES.validate_json)},
        phenoconversion=read("phenoconversion.json", Phenoconversion.model_validate_json),
        warfarin=read("warfarin.json", Warfarin.model_validate_json),
        loinc=read("loinc.json", Loinc.model_validate_json),
        unanswered=read("unanswered.json", _SILENCES.validate_json),
        doubts=read("doubts.json", _DOUBTS.validate_json),
        findings=read("findings.json", _FINDINGS.validate_json),
        research={gene.symbol: gene for gene in read("research.json", _RESEARCH.validate_json)},
    )


def sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def _read(name: str, validate: Any, content: bytes) -> Any:
    try:
        return validate(content)
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(str(part) for part in first["loc"])
        raise DamagedRelease(f"{name}: {where}: {first['msg']}") from error


def _plain(fact: Fact) -> dict[str, Any]:
    return fact.model_dump(mode="json", exclude_defaults=True)
