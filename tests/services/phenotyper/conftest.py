from collections.abc import Callable

import pytest

from knowledge.loader import Releases
from knowledge.release import Release
from schemas.genotype import GeneCall
from schemas.phenotype import Phenotype
from services.phenotyper.assignment import assign

Assign = Callable[..., tuple[Phenotype, ...]]


@pytest.fixture(scope="session")
def release() -> Release:
    """The release of November 2025, which the reference's examples belong to."""
    return Releases().load("2025.11")


@pytest.fixture(scope="session")
def current() -> Release:
    return Releases().load("2026.11")


@pytest.fixture
def phenotypes(release: Release) -> Assign:
    def of(*calls: GeneCall) -> tuple[Phenotype, ...]:
        return assign(release, calls)

    return of
