"""Event to event: a laboratory result becomes named-allele calls. Pure: no clock, no randomness, no I/O."""

from collections.abc import Callable

from knowledge.release import Release
from schemas.cloudevents import Event
from schemas.genotype import GenotypeCalled, KnowledgeRef
from schemas.lab_result import LabResult, ResultRef, content_sha256
from schemas.warning import Warning
from services.genotyper.options import Options
from services.genotyper.release_caller import ReleaseCaller
from services.genotyper.software import SOFTWARE

REVISION = 3
"""Revision of this stage's code: raised whenever the same input under the same release gives another output."""

UNKNOWN_FIELDS = "unknown-fields"


class Genotyper:
    """Turns a laboratory result into named-allele calls under the tenant's active knowledge release."""

    def __init__(self, releases: Callable[[str], Release], options: Options | None = None) -> None:
        """``releases`` gives the active release of a tenant."""
        self._releases = releases
        self._options = options or Options()
        self._callers: dict[str, ReleaseCaller] = {}

    def handle(self, event: Event[LabResult]) -> GenotypeCalled:
        """Calls every gene of the release. Raises Rejected where the result as a whole cannot be used."""
        result = event.data
        caller = self._caller(self._releases(result.tenant))
        called = caller.call(result)
        return GenotypeCalled(
            tenant=result.tenant,
            patient=result.patient,
            result=_reference(event),
            knowledge=KnowledgeRef(release=caller.release.id, sha256=caller.release.sha256),
            software=SOFTWARE,
            genotypes=called.genotypes,
            observed=called.observed,
            warnings=_warnings(result) + called.warnings,
            research=called.research,
        )

    def forget(self) -> None:
        """Empties the memos of genotypes and observations."""
        for caller in self._callers.values():
            caller.forget()

    def _caller(self, release: Release) -> ReleaseCaller:
        if release.sha256 not in self._callers:
            self._callers[release.sha256] = ReleaseCaller(release, self._options)
        return self._callers[release.sha256]


def _reference(event: Event[LabResult]) -> ResultRef:
    result = event.data
    return ResultRef(
        laboratory=result.laboratory,
        accession=result.accession,
        status=result.status,
        version=result.version,
        issued=result.issued,
        sex=result.sex,
        event_source=event.source,
        event_id=event.id,
        sha256=content_sha256(result),
    )


def _warnings(result: LabResult) -> tuple[Warning, ...]:
    if not result.unknown_fields:
        return ()
    return (Warning(code=UNKNOWN_FIELDS, message=f"fields that are not read: {', '.join(result.unknown_fields)}"),)
