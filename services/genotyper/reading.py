"""A laboratory result's rows, sorted by gene, and what each gene's rows show.

Most rows of most samples say "reference, in the definition's own spelling"; they take a short way here, all others go
through ``rows``. The first usable row of a position counts, later ones are reported.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from schemas.lab_result import Genotype
from schemas.warning import Warning
from services.genotyper.definition import GeneDefinition
from services.genotyper.observation import Observation, Row, SiteCall
from services.genotyper.panel import Panel, Site
from services.genotyper.rows import REPEATED, UNREMARKABLE, flagged_by_preprocessor, read_row, warning

Entry = tuple[int, Genotype, Site]
"""A row with its number in the result and the position that it is about."""


@dataclass(frozen=True, slots=True)
class Sorted:
    """A result's rows by gene."""

    entries: tuple[list[Entry], ...]
    """In the panel's gene order; within a gene in the order of the result."""
    outside: int
    """Rows at no position of the panel."""


@dataclass(frozen=True, slots=True)
class Reading:
    """What a result's rows show."""

    observations: tuple[Observation, ...]
    """In the panel's gene order."""
    outside: int


def sort_rows(rows: Sequence[Genotype], panel: Panel) -> Sorted:
    """Sorts a result's rows by gene."""
    entries: tuple[list[Entry], ...] = tuple([] for _ in panel.genes)
    find = panel.sites.get
    outside = 0
    for number, row in enumerate(rows):
        site = find((row["chrom"], row["pos"]))
        if site is None:
            outside += 1
        else:
            entries[site.gene].append((number, row, site))
    return Sorted(entries, outside)


def read(rows: Sequence[Genotype], panel: Panel) -> Reading:
    """What every gene's rows show. Raises Rejected where a genotype is not valid VCF."""
    by_gene = sort_rows(rows, panel)
    observations = tuple(map(observe, panel.genes, by_gene.entries))
    return Reading(observations, by_gene.outside)


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


def observe(definition: GeneDefinition, entries: Iterable[Entry], common_gt: str = "", common: int = 0) -> Observation:
    """What one gene's rows show. Raises Rejected where a genotype is not valid VCF.

    Positions of ``common`` have a row in the definition's spelling with the reference genotype ``common_gt``; their
    rows are not among the entries.
    """
    slash = common if common_gt == "0/0" else 0
    pipe = common if common_gt == "0|0" else 0
    single = common if common_gt == "0" else 0
    odd = _Collected()
    for number, row, site in entries:
        gt, bit = row["gt"], site.bit
        if (
            gt in site.reference_gts
            and row["ref"] == site.ref
            and row["alt"] == site.alts
            and not (slash | pipe | single | odd.with_row) & bit
            and row.get("ps") is None
            and row.get("filter") in UNREMARKABLE
        ):
            if gt == "0/0":
                slash |= bit
            elif gt == "0|0":
                pipe |= bit
            else:
                single |= bit
        elif site.extra:
            _collect_extra(odd, row, site, number)
        else:
            plain = (slash | pipe | single) & bit
            _collect(odd, row, site, number, bool(plain | odd.usable & bit), bool(plain | odd.with_row & bit))
    return _observation(definition, slash, pipe, single, odd)


def _collect(into: _Collected, row: Genotype, site: Site, number: int, usable_before: bool, row_before: bool) -> None:
    kept = (site.pos, row["ref"], tuple(row["alt"]), row["gt"], row.get("ps"))
    into.rows.append((site.position, number, kept))
    into.with_row |= site.bit
    if usable_before:
        if not flagged_by_preprocessor(row):
            into.warnings.append((site.position, number, warning(REPEATED, site.locus)))
        return
    reading = read_row(row, site, number)
    if reading.codes:
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
    reading = read_row(row, site, number)
    if reading.call is not None and not reading.call.half and name not in into.extras:
        second = reading.call.second
        into.extras[name] = reading.call.first + ("" if second is None else f"/{second}")


def _observation(definition: GeneDefinition, slash: int, pipe: int, single: int, collected: _Collected) -> Observation:
    plain = slash | pipe | single
    seen = plain | collected.usable
    reference_gt, others = _reference_rows(definition, {"0/0": slash, "0|0": pipe, "0": single})
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


def _reference_rows(definition: GeneDefinition, plain: dict[str, int]) -> tuple[str | None, list[tuple[int, int, Row]]]:
    """The commonest way the gene's plain reference rows are written, and the rows written in another way."""
    written = [gt for gt, bits in plain.items() if bits]
    if len(written) < 2:
        return (written[0] if written else None), []
    written.sort(key=lambda gt: (-plain[gt].bit_count(), gt))
    positions = definition.gene.definition.positions
    return written[0], [
        (column, -1, (positions[column].pos, positions[column].ref, positions[column].alts, gt, None))
        for gt in written[1:]
        for column in definition.bits(plain[gt])
    ]
