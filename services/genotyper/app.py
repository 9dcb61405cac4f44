"""Wiring of the genotyper: lab results in, named-allele calls out, under the tenant's active knowledge release."""

from knowledge.loader import Releases
from runtime import service
from runtime.metrics import Metrics
from runtime.service import Service
from runtime.settings import Settings
from runtime.stage import stage
from schemas.cloudevents import decode_lab_result
from schemas.topics import GENOTYPE, KNOWLEDGE, LAB_RESULT
from services.genotyper.activation import Activation
from services.genotyper.handler import REVISION, Genotyper

NAME = "genotyper"


def build(settings: Settings) -> Service:
    """The service, not yet running."""
    metrics = Metrics(NAME)
    activation = Activation(settings, Releases(None, *settings.knowledge_folders).load, metrics.knowledge_releases)
    return stage(
        NAME,
        source=LAB_RESULT,
        target=GENOTYPE,
        decode=decode_lab_result,
        transform=Genotyper(activation.release).handle,
        release=lambda called: called.knowledge.release,
        revision=REVISION,
        settings=settings,
        metrics=metrics,
        needs=(KNOWLEDGE,),
        lifespan=activation.opened,
        background=(activation.follow,),
    )


def main(settings: Settings) -> int:
    """Run the service as this process; the exit status."""
    return service.main(build(settings))
