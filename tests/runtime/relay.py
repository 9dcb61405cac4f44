"""A stage with a domain as small as can be, for tests of the shell around it: by the sample's accession it passes the
result on, refuses it, or fails. Also runs as a process of its own: ``python -m tests.runtime.relay``."""

import sys
from collections import Counter
from collections.abc import Callable, Sequence
from contextlib import AbstractAsyncContextManager, nullcontext

from runtime import service
from runtime.service import Service
from runtime.settings import Settings
from runtime.stage import stage
from schemas.cloudevents import Event, decode_lab_result
from schemas.errors import Code, Rejected
from schemas.genotype import GenotypeCalled, KnowledgeRef
from schemas.lab_result import LabResult, ResultRef
from schemas.topics import GENOTYPE, LAB_RESULT

NAME = "relay"


class Domain:
    """Accessions starting with ``refused``, ``broken`` and ``flaky`` are rejected, raise always, and raise once."""

    def __init__(self) -> None:
        self.attempts: Counter[str] = Counter()

    def handle(self, event: Event[LabResult]) -> GenotypeCalled:
        result = event.data
        self.attempts[result.accession] += 1
        if result.accession.startswith("refused"):
            raise Rejected(Code.INVALID_FIELD, "väärä arvo, 無効な値", "genotypes[0].gt")
        if result.accession.startswith("broken"):
            raise ZeroDivisionError(f"secret of {result.patient}")
        if result.accession.startswith("flaky") and self.attempts[result.accession] == 1:
            raise ZeroDivisionError("only once")
        return GenotypeCalled(
            tenant=result.tenant,
            patient=result.patient,
            result=ResultRef(
                laboratory=result.laboratory,
                accession=result.accession,
                status=result.status,
                version=result.version,
                issued=result.issued,
                sex=result.sex,
                event_source=event.source,
                event_id=event.id,
                sha256=event.sha256,
            ),
            knowledge=KnowledgeRef(release="test", sha256="0" * 64),
            software="test",
            genotypes=(),
            observed={},
        )


def build(
    settings: Settings,
    domain: Domain | None = None,
    background: Sequence[service.Background] = (),
    checks: dict[str, Callable[[], str | None]] | None = None,
    lifespan: Callable[[], AbstractAsyncContextManager[None]] = nullcontext,
) -> Service:
    """The stage: lab results in, genotype events out."""
    return stage(
        NAME,
        source=LAB_RESULT,
        target=GENOTYPE,
        decode=decode_lab_result,
        transform=(domain or Domain()).handle,
        release=lambda called: called.knowledge.release,
        revision=1,
        settings=settings,
        background=background,
        checks=checks,
        lifespan=lifespan,
    )


if __name__ == "__main__":
    sys.exit(service.main(build(Settings.load())))
