"""Genotype event to phenotype event. Pure: no clock, no randomness, no I/O."""

from collections.abc import Callable

from knowledge.release import Release
from schemas.cloudevents import Event
from schemas.errors import Code, Rejected
from schemas.genotype import GenotypeCalled, KnowledgeRef
from schemas.phenotype import PhenotypeAssigned, ResultNote
from services.phenotyper.assignment import assign

REVISION = 1
"""Revision of this stage's code: raised whenever the same input under the same release gives another output."""


class Phenotyper:
    """Assigns phenotypes to the calls of one laboratory result, under the release that the calls were made with."""

    def __init__(self, releases: Callable[[str], Release]) -> None:
        """``releases`` gives a release by its id and raises KeyError where none of that id is installed."""
        self._releases = releases

    def handle(self, event: Event[GenotypeCalled]) -> PhenotypeAssigned:
        """Raises Rejected where the calls' release is not installed here, or is another one of the same name."""
        note = ResultNote.of(event.data.result)
        assigned = assign(self._release(event.data.knowledge), event.data.genotypes)
        phenotypes = tuple(phenotype.model_copy(update={"result": note}) for phenotype in assigned)
        return PhenotypeAssigned(genotype=event.data, phenotypes=phenotypes)

    def _release(self, named: KnowledgeRef) -> Release:
        try:
            release = self._releases(named.release)
        except KeyError as error:
            raise Rejected(Code.UNKNOWN_RELEASE, f"release {named.release} is not installed", "knowledge") from error
        if release.sha256 != named.sha256:
            message = f"release {named.release} has another content here"
            raise Rejected(Code.UNKNOWN_RELEASE, message, "knowledge.sha256")
        return release
