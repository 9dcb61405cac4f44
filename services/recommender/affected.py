"""Whom another release would affect, in figures of which nothing about a small group can be worked out. Pure."""

from collections.abc import Mapping

from schemas.base import Model
from services.recommender.cohort import SMALLEST, Frequency, Share, share


class Affected(Model):
    """What a release would mean for a population."""

    tenant: str | None
    release: str
    smallest: int = SMALLEST
    patients: int | None
    """That it does not govern yet; None: too few to be shown."""
    affected: Share | None = None
    """Of these, whose advice would change."""
    genes: tuple[Frequency, ...] = ()
    """By gene: patients with a change of advice that is about it."""
    drugs: tuple[Frequency, ...] = ()
    """By drug: patients whose advice on it would change."""


def affected_by(
    tenant: str | None, release: str, patients: int, affected: int, genes: Mapping[str, int], drugs: Mapping[str, int]
) -> Affected:
    """The figures of a release, from the numbers of patients."""
    if patients < SMALLEST:
        return Affected(tenant=tenant, release=release, patients=None if patients else 0)
    part = share(affected, patients)
    if part.patients is None:
        return Affected(tenant=tenant, release=release, patients=patients, affected=part)
    return Affected(
        tenant=tenant,
        release=release,
        patients=patients,
        affected=part,
        genes=_shown(genes, affected, patients),
        drugs=_shown(drugs, affected, patients),
    )


def _shown(counted: Mapping[str, int], affected: int, patients: int) -> tuple[Frequency, ...]:
    """Groups overlap, so that rare ones cannot be put together as others: one is left out where it is small, or those
    affected or not affected beside it are few."""
    large = {
        name: number for name, number in counted.items()
        if share(number, affected).patients is not None and share(number, patients).patients is not None
    }  # fmt: skip
    return tuple(
        Frequency(name=name, count=number, share=round(number / patients, 6))
        for name, number in sorted(large.items(), key=lambda item: (-item[1], item[0]))
    )
