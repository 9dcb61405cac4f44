"""Wiring of the phenotyper: named-allele calls in, phenotypes out, under the release that each event names."""

from functools import partial

from knowledge.loader import Releases
from runtime import service
from runtime.metrics import Metrics
from runtime.service import Service
from runtime.settings import Settings
from runtime.stage import stage
from schemas import cloudevents
from schemas.topics import GENOTYPE, PHENOTYPE
from services.phenotyper.handler import REVISION, Phenotyper

NAME = "phenotyper"


def build(settings: Settings) -> Service:
    """The service, not yet running."""
    metrics = Metrics(NAME)
    releases = Releases(None, *settings.knowledge_folders)
    metrics.knowledge_releases(set(releases.ids()))
    # The one that most events name: loaded now, it is among what the service keeps from the first event on.
    releases.load(releases.newest())
    return stage(
        NAME,
        source=GENOTYPE,
        target=PHENOTYPE,
        decode=partial(cloudevents.decode, GENOTYPE),
        transform=Phenotyper(releases.load).handle,
        release=lambda assigned: assigned.genotype.knowledge.release,
        revision=REVISION,
        settings=settings,
        metrics=metrics,
    )


def main(settings: Settings) -> int:
    """Run the service as this process; the exit status."""
    return service.main(build(settings))
