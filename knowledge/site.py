"""A site's own release: a release that comes with the software, with facts of the site's added or in their place.

It is a release like any other, complete in its folder, with its own id and hash; its manifest names the release it was
made from. Services and events refer to it by its own id.
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import replace

from knowledge import keys, sources
from knowledge.model import Drug, Gene, Guideline, Manifest, Rule
from knowledge.release import FORMAT, Release, seal
from knowledge.validation import InvalidRelease, validate

RELEASE_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")


def overlay(
    base: Release,
    manifest: Manifest,
    genes: Iterable[Gene] = (),
    rules: Iterable[Rule] = (),
    drugs: Iterable[Drug] = (),
    guidelines: Iterable[Guideline] = (),
    withdrawn: Iterable[str] = (),
    exceptions: Mapping[str, Mapping[str, str]] | None = None,
) -> Release:
    """The base release with these facts added, or in the place of those of the same symbol, id or name.

    ``withdrawn`` are ids of rules to leave out. Where sources are silent is worked out anew. Raises InvalidRelease.
    """
    gone = set(withdrawn)
    merged = {rule.id: rule for rule in base.rules if rule.id not in gone} | {rule.id: rule for rule in rules}
    release = replace(
        base,
        manifest=manifest,
        genes=dict(sorted(({**base.genes} | {gene.symbol: gene for gene in genes}).items())),
        rules=tuple(sorted(merged.values(), key=lambda r: (r.drug, r.source, r.population, r.record))),
        drugs=dict(sorted(({**base.drugs} | {drug.name: drug for drug in drugs}).items())),
        guidelines=dict(sorted(({**base.guidelines} | {g.id: g for g in guidelines}).items())),
    )
    release = replace(release, unanswered=keys.silences(release))
    if findings := validate(release, sources.exceptions() if exceptions is None else exceptions):
        raise InvalidRelease(findings)
    return seal(release)


def manifest(base: Release, release: str, in_force: str, description: str, source: str) -> Manifest:
    """The manifest of a release made from ``base``. Raises ValueError for an id that cannot name a folder."""
    if not RELEASE_ID.fullmatch(release) or release == base.id:
        raise ValueError(f"{release!r} cannot be the id of a release made from {base.id}")
    return Manifest(
        format=FORMAT,
        release=release,
        in_force=in_force,
        description=description,
        files={},
        sources=(*base.manifest.sources, source),
        licences=base.manifest.licences,
        base=base.id,
        base_sha256=base.sha256,
    )
