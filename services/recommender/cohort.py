"""A population in figures: alleles, phenotypes, who has something to act on, who takes what the genes advise against.

Everything is read from the view that the store keeps of each patient, in a few queries over all of them. Groups of
fewer than ``SMALLEST`` patients are not shown, and cannot be worked out from what is: they are put together with others
until the sum is large enough, and a figure is withheld where it, or what it leaves, is too small.
"""

from collections import Counter, defaultdict
from collections.abc import Mapping, Set
from typing import Any, NamedTuple

from pydantic import Field

from knowledge.release import Release
from schemas.base import Model
from services.recommender.guidance import guide
from services.recommender.priority import Priority
from services.recommender.store import Store
from services.recommender.view import Lookup, stored_lookup

SMALLEST = 5
"""Patients: smaller groups are not shown."""
OTHERS = "others"
_USUAL = "standard-dosing"
"""Advice to begin with the usual dose is nothing to act on, whatever else it says about later doses."""

_PATIENTS = """
SELECT count(lookups) AS patients, count(medications) AS with_context, count(against) AS against
FROM patients WHERE $1::text IS NULL OR tenant = $1
"""
_LOOKUPS = """
SELECT number, count(*) AS patients FROM patients, unnest(lookups) AS number
WHERE $1::text IS NULL OR tenant = $1 GROUP BY number
"""
_DICTIONARY = "SELECT number, gene, content::text AS content FROM lookups WHERE number = ANY ($1::int[])"
_ACTIONABLE = """
SELECT count(*) FROM patients
WHERE ($1::text IS NULL OR tenant = $1)
      AND EXISTS (SELECT FROM unnest(lookups) AS number WHERE get_byte($2::bytea, number) = 1)
"""
_AGAINST = """
SELECT drug, count(*) AS patients FROM patients, unnest(against) AS drug
WHERE $1::text IS NULL OR tenant = $1 GROUP BY drug
"""
_WHO = "SELECT pseudonym, against FROM patients WHERE tenant = $1 AND against IS NOT NULL ORDER BY pseudonym"


class Share(Model):
    """A part of a group. ``patients``: None where the part or the rest is too small to be shown."""

    patients: int | None
    of: int


class Frequency(Model):
    """How often something is found. ``name``: ``others`` for all that is too rare to be shown."""

    name: str
    count: int
    """Of alleles: copies; of phenotypes and drugs: patients."""
    share: float
    actionable: bool | None = Field(default=None, exclude_if=lambda actionable: actionable is None)
    """Of a phenotype: it alone gets advice to avoid a drug, to change its dose or to consider another. Left out of
    everything else, others included."""


class GeneFigures(Model):
    """One gene in a population."""

    gene: str
    patients: int
    """With a phenotype, or several possible ones."""
    ambiguous: int | None
    """Of these, with several possible diplotypes, which are not counted among the alleles."""
    alleles: tuple[Frequency, ...]
    phenotypes: tuple[Frequency, ...]


class Cohort(Model):
    """A population in figures."""

    tenant: str | None
    release: str
    """Under which phenotypes count as actionable."""
    smallest: int = SMALLEST
    patients: int | None
    """With a result that counts; None: too few to be shown."""
    actionable: Share | None = None
    """Patients with at least one actionable phenotype."""
    against: Share | None = None
    """Patients who take a drug that advice says to avoid, of those whose medications are known."""
    drugs: tuple[Frequency, ...] = ()
    """By drug: patients who take it against advice."""
    genes: tuple[GeneFigures, ...] = ()


class Taker(NamedTuple):
    """A patient who takes drugs that advice says to avoid."""

    patient: str
    drugs: tuple[str, ...]


async def cohort(store: Store, release: Release, tenant: str | None) -> Cohort:
    """The figures of a tenant's patients, or of all."""
    async with store.snapshot() as connection:
        row = await connection.fetchrow(_PATIENTS, tenant)
        totals = dict(row) if row is not None else {}
        if totals["patients"] < SMALLEST:
            return Cohort(tenant=tenant, release=release.id, patients=None if totals["patients"] else 0)
        counted = {one["number"]: one["patients"] for one in await connection.fetch(_LOOKUPS, tenant)}
        found = await connection.fetch(_DICTIONARY, list(counted))
        dictionary = {one["number"]: stored_lookup(one["gene"], one["content"]) for one in found}
        acting = Acting(release)
        actionable = {number for number, one in dictionary.items() if acting.on(one)}
        flags = bytearray(1 + max(counted, default=0))
        for number in actionable:
            flags[number] = 1
        with_one = await connection.fetchval(_ACTIONABLE, tenant, bytes(flags))
        drugs = {one["drug"]: one["patients"] for one in await connection.fetch(_AGAINST, tenant)}
    return Cohort(
        tenant=tenant,
        release=release.id,
        patients=totals["patients"],
        actionable=share(with_one, totals["patients"]),
        against=share(totals["against"], totals["with_context"]),
        drugs=frequencies(drugs, drugs, totals["with_context"]),
        genes=genes({dictionary[number]: times for number, times in counted.items()}, acting),
    )


async def takers(store: Store, tenant: str) -> list[Taker]:
    """Who of a tenant's patients takes what advice says to avoid: for those who treat them."""
    return [Taker(row["pseudonym"], tuple(row["against"])) for row in await store.pool.fetch(_WHO, tenant)]


class Acting:
    """Which lookups alone, other genes unknown, get advice to act on under a release."""

    def __init__(self, release: Release) -> None:
        self._release = release
        self._by_genotype = {
            gene for rule in release.rules for gene, keys in rule.genes.items() if any("/" in key for key in keys)
        }
        self._known: dict[tuple[Any, ...], bool] = {}

    def on(self, lookup: Lookup) -> bool:
        """Whether some source advises to avoid a drug, to change its dose or to consider another."""
        seen = lookup.seen
        if lookup.gene not in self._by_genotype:
            seen = tuple(one._replace(diplotype=None) for one in seen)
        key = (lookup.gene, tuple(one if lookup.gene in self._by_genotype else one[2:] for one in seen))
        if key not in self._known:
            advice = guide(self._release, (), lookup.phenotypes).recommendations
            self._known[key] = any(one.priority <= Priority.CHANGE_DOSE and _USUAL not in one.actions for one in advice)
        return self._known[key]


def genes(counted: Mapping[Lookup, int], acting: Acting) -> tuple[GeneFigures, ...]:
    """The figures of each gene that enough patients have a phenotype of. ``counted``: patients by lookup."""
    by_gene: dict[str, dict[Lookup, int]] = defaultdict(dict)
    for lookup, times in counted.items():
        by_gene[lookup.gene][lookup] = times
    return tuple(
        _gene(gene, by_gene[gene], acting) for gene in sorted(by_gene) if sum(by_gene[gene].values()) >= SMALLEST
    )


def _gene(gene: str, counted: Mapping[Lookup, int], acting: Acting) -> GeneFigures:
    copies: Counter[str] = Counter()
    carriers: Counter[str] = Counter()
    phenotypes: Counter[str] = Counter()
    to_act_on: set[str] = set()
    ambiguous = 0
    for lookup, times in counted.items():
        shown = " or ".join(dict.fromkeys(one.phenotype or "no phenotype" for one in lookup.seen))
        phenotypes[shown] += times
        if acting.on(lookup):
            to_act_on.add(shown)
        typings = {one.alleles for one in lookup.seen}
        if len(typings) > 1:
            ambiguous += times
            continue
        for alleles in typings:
            for allele, number in Counter(alleles).items():
                copies[allele] += number * times
                carriers[allele] += times
    patients = sum(counted.values())
    return GeneFigures(
        gene=gene,
        patients=patients,
        ambiguous=share(ambiguous, patients).patients,
        alleles=frequencies(copies, carriers, sum(copies.values())),
        phenotypes=frequencies(phenotypes, phenotypes, patients, to_act_on),
    )


def frequencies(
    counts: Mapping[str, int], patients: Mapping[str, int], total: int, actionable: Set[str] | None = None
) -> tuple[Frequency, ...]:
    """The most frequent first, those of too few ``patients`` together as others, the next rarest with them if need be.

    Nothing where even all together are too few.
    """
    order = sorted(counts, key=lambda name: (-patients[name], name))
    shown = [name for name in order if patients[name] >= SMALLEST]
    rare = [name for name in order if patients[name] < SMALLEST]
    while rare and shown and sum(patients[name] for name in rare) < SMALLEST:
        rare.append(shown.pop())
    found = [
        Frequency(
            name=name,
            count=counts[name],
            share=_rounded(counts[name], total),
            actionable=None if actionable is None else name in actionable,
        )
        for name in sorted(shown, key=lambda name: (-counts[name], name))
    ]
    if rare and sum(patients[name] for name in rare) >= SMALLEST:
        rest = sum(counts[name] for name in rare)
        found.append(Frequency(name=OTHERS, count=rest, share=_rounded(rest, total)))
    return tuple(found)


def share(part: int, whole: int) -> Share:
    """A part of a group, withheld where it or the rest is a group too small to be shown."""
    small = 0 < part < SMALLEST or 0 < whole - part < SMALLEST
    return Share(patients=None if small else part, of=whole)


def _rounded(part: int, whole: int) -> float:
    return round(part / whole, 6) if whole else 0.0
