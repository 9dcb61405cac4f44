"""A laboratory result's rows, sorted out into one observation for each gene.

Most rows of most samples say "reference, in the definition's own spelling"; they take a short way here, all others go
through ``rows``. The first usable row of a position counts, later ones are reported.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field

from schemas.lab_result import Genotype
from schemas.warning import Warning
from services.genotyper.observation import Observation, Row, SiteCall
from services.genotyper.panel import Panel, Site
from services.genotyper.rows import flagged_by_preprocessor, read_row, warning


@dataclass(frozen=True, slots=True)
class Reading:
    """What a result's rows show."""

    observations: tuple[Observation, ...]
    """In the panel's gene order."""
    outside: int
    """Rows at no position of the panel."""


@dataclass(slots=True)
class _Collected:
    """The rows of one gene that needed a closer look."""

    usable: int = 0
    single: int = 0
    with_row: int = 0
    phased: bool = True
    phase_sets: bool = False
    unequal_copies: bool = False
    sites: list[SiteCall] = field(default_factory=list)
    warnings: list[tuple[int, int, Warning]] = field(default_factory=list)
    rows: list[tuple[int, int, Row]] = field(default_factory=list)
    discarded_by_depth: set[int] = field(default_factory=set)
    extras: dict[str, str] = field(default_factory=dict)


_NOTHING = _Collected()


def read(rows: Sequence[Genotype], panel: Panel) -> Reading:
    """Sorts a result's rows by gene. Raises Rejected where a genotype is not valid VCF."""
    count = len(panel.genes)
    plain = {"0/0": [0] * count, "0|0": [0] * count, "0": [0] * count}
    with_row = [0] * count
    collected: dict[int, _Collected] = {}
    find = panel.sites.get
    outside = 0
    for number, row in enumerate(rows):
        site = find((row["chrom"], row["pos"]))
        if site is None:
            outside += 1
            continue
        gene, gt = site.gene, row["gt"]
        if (
            gt in site.reference_gts
            and not with_row[gene] & site.bit
            and row["ref"] == site.ref
            and row["alt"] == site.alts
            and row.get("ps") is None
            and not row.get("filter")
        ):
            plain[gt][gene] |= site.bit
            with_row[gene] |= site.bit
            continue
        if gene not in collected:
            collected[gene] = _Collected()
        into = collected[gene]
        if site.extra:
            _collect_extra(into, row, site, number)
            continue
        taken = into.usable | plain["0/0"][gene] | plain["0|0"][gene] | plain["0"][gene]
        _collect(
            into, row, site, number, usable_before=bool(taken & site.bit), row_before=bool(with_row[gene] & site.bit)
        )
        with_row[gene] |= site.bit
    observations = tuple(
        _observation(
            panel, gene, plain["0/0"][gene], plain["0|0"][gene], plain["0"][gene], collected.get(gene, _NOTHING)
        )
        for gene in range(count)
    )
    return Reading(observations, outside)


def _collect(into: _Collected, row: Genotype, site: Site, number: int, usable_before: bool, row_before: bool) -> None:
    kept = (site.pos, row["ref"], tuple(row["alt"]), row["gt"], row.get("ps"))
    into.rows.append((site.position, number, kept))
    into.with_row |= site.bit
    if usable_before:
        if not flagged_by_preprocessor(row):
            into.warnings.append((site.position, number, warning("duplicate", site.locus)))
        return
    reading = read_row(row, site, f"genotypes[{number}]")
    into.warnings += [(site.position, number, each) for each in reading.warnings(site.locus)]
    call = reading.call
    if call is None:
        if "ad-homozygous-discarded" in reading.codes:
            into.discarded_by_depth.add(site.pos)
        return
    if row_before:
        into.warnings.append((site.position, number, warning("duplicate-replaces-invalid", site.locus)))
    into.usable |= site.bit
    into.unequal_copies |= reading.unequal_copies
    into.phased &= call.phased
    into.phase_sets |= call.phase_set is not None
    if call.second is None:
        into.single |= site.bit
    if call.first != site.ref or call.second not in (site.ref, None):
        into.sites.append(call)


def _collect_extra(into: _Collected, row: Genotype, site: Site, number: int) -> None:
    """A position that is reported but not matched: the first usable genotype, as bases."""
    name = site.rsid or site.locus
    reading = read_row(row, site, f"genotypes[{number}]")
    if reading.call is not None and not reading.call.half and name not in into.extras:
        second = reading.call.second
        into.extras[name] = reading.call.first + ("" if second is None else f"/{second}")


def _observation(panel: Panel, gene: int, slash: int, pipe: int, single: int, collected: _Collected) -> Observation:
    plain = slash | pipe | single
    seen = plain | collected.usable
    reference_gt, others = _reference_rows(panel, gene, {"0/0": slash, "0|0": pipe, "0": single})
    return Observation(
        seen=seen,
        single=single | collected.single,
        sites=tuple(sorted(collected.sites, key=lambda site: site.position)),
        phased=bool(seen) and not slash and collected.phased,
        phase_sets=collected.phase_sets,
        warnings=tuple(each for _, _, each in sorted(collected.warnings, key=lambda entry: entry[:2])),
        unequal_copies=collected.unequal_copies,
        reference_gt=reference_gt,
        with_row=plain | collected.with_row,
        other_rows=tuple(row for _, _, row in sorted(others + collected.rows, key=lambda entry: entry[:2])),
        discarded_by_depth=tuple(sorted(collected.discarded_by_depth)),
        extras=tuple(sorted(collected.extras.items())),
    )


def _reference_rows(panel: Panel, gene: int, plain: dict[str, int]) -> tuple[str | None, list[tuple[int, int, Row]]]:
    """The commonest way the gene's plain reference rows are written, and the rows written in another way."""
    written = sorted((-bits.bit_count(), gt) for gt, bits in plain.items() if bits)
    if not written:
        return None, []
    reference_gt = written[0][1]
    if len(written) == 1:
        return reference_gt, []
    definition = panel.genes[gene]
    positions = definition.gene.definition.positions
    return reference_gt, [
        (column, -1, (positions[column].pos, positions[column].ref, positions[column].alts, gt, None))
        for _, gt in written[1:]
        for column in definition.bits(plain[gt])
    ]
