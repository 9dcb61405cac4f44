"""The records of a VCF file that are about definition positions, collected for each sample."""

from collections.abc import Iterator, Sequence
from typing import Any

from schemas.errors import Code, Rejected
from services.genotyper.assembly import refuse_grch37
from services.genotyper.panel import Site
from services.genotyper.vcf.blocks import PLACEHOLDERS, BlockLimits
from services.genotyper.vcf.header import Header
from services.genotyper.vcf.merging import Spelt, rows
from services.genotyper.vcf.places import Places
from services.genotyper.vcf.records import Record, SampleData, record_of, refusing, samples_of
from services.genotyper.vcf.spelling import spell

UNREADABLE_RECORD = "a record cannot be read"


class Collector:
    """The rows of several samples at the positions of a release.

    What a record at the position itself says goes before what a deletion or a longer change around it says, and that
    before a block of reference.
    """

    def __init__(self, places: Places, header: Header, samples: int, limits: BlockLimits) -> None:
        self._places = places
        self._depths_by_allele = header.depths_by_allele is not False
        self._limits = limits
        self._site_of: dict[str, Site] = {}
        self._own: list[dict[str, list[Spelt]]] = [{} for _ in range(samples)]
        self._around: list[dict[str, list[Spelt]]] = [{} for _ in range(samples)]
        self._blocks: list[dict[str, list[Spelt]]] = [{} for _ in range(samples)]
        self._on_grch38 = self._on_grch37 = 0

    def read(self, variants: Iterator[Any]) -> None:
        """Raises Rejected where a genotype is not valid, or the records sit where GRCh37 has the positions."""
        for variant in variants:
            with refusing(UNREADABLE_RECORD, "records"):
                if not self._matters(variant.CHROM, variant.POS, variant.end):
                    continue
                record = record_of(variant)
            self._on_grch37 += self._places.assembly.is_grch37(record.chrom, record.pos, record.ref, record.alts)
            sites = self._touched(record)
            if sites:
                with refusing(UNREADABLE_RECORD, "records"):
                    samples = list(samples_of(variant, len(self._own), self._depths_by_allele))
                for site in sites:
                    self._on_grch38 += record.pos == site.pos and record.ref[:1] == site.ref[:1]
                    self._take(site, record, samples)
        refuse_grch37(self._on_grch37, self._on_grch38, "records")

    def rows(self, sample: int) -> list[dict[str, Any]]:
        """The sample's rows, by gene and position."""
        ranked = (self._blocks[sample], self._around[sample], self._own[sample])
        best: dict[str, list[Spelt]] = {}
        for found in ranked:
            best |= found
        sites = sorted((self._site_of[locus] for locus in best), key=lambda site: (site.gene, site.pos))
        return [row for site in sites for row in rows(site, best[site.locus])]

    def _matters(self, chrom: str, pos: int, end: int) -> bool:
        """Whether a record may be at a position of a definition, or of GRCh37: of a whole genome nearly none is."""
        return bool(self._places.overlapping(chrom, pos, end)) or (chrom, pos) in self._places.assembly.grch37

    def _touched(self, record: Record) -> Sequence[Site]:
        if record.pos == record.end:
            site = self._places.at(record.chrom, record.pos)
            return () if site is None else (site,)
        return self._places.overlapping(record.chrom, record.pos, record.end)

    def _take(self, site: Site, record: Record, samples: Sequence[SampleData | None]) -> None:
        if record.block:
            self._take_block(site, samples)
            return
        same_base = record.ref[:1].upper() == site.ref[:1]
        if record.pos == site.pos and not same_base:
            ref, spelt = record.ref, [record.ref, *record.alts]
            changes = True
        else:
            changed = [spell(site, record.pos, record.ref, alt) for alt in record.alts]
            ref, spelt = site.ref, [site.ref, *(allele or site.ref for allele in changed)]
            changes = record.pos == site.pos and (any(changed) or _shows_reference(site, record))
            changes = changes or any(allele in site.alts for allele in changed)
        for index, data in enumerate(samples):
            if data is None:
                continue
            one = _spelt(site, record, ref, spelt, data)
            if changes:
                self._own[index].setdefault(site.locus, []).append(one)
            elif any(allele not in (None, ref) for allele in one.alleles):
                self._around[index].setdefault(site.locus, []).append(one)
            else:
                continue
            self._site_of[site.locus] = site

    def _take_block(self, site: Site, samples: Sequence[SampleData | None]) -> None:
        # A stretch of reference does not show that nothing was inserted or deleted.
        if len(site.ref) > 1 or any(len(alt) > 1 for alt in site.alts):
            return
        for index, data in enumerate(samples):
            if data is None or not data.entries:
                continue
            good = all(entry == 0 for entry in data.entries) and self._limits.passes(data.depth, data.quality)
            alleles = tuple(site.ref if good else None for _ in data.entries)
            self._site_of[site.locus] = site
            self._blocks[index].setdefault(site.locus, [Spelt(site.ref, (), alleles, data.phased, None, None, None)])


def _shows_reference(site: Site, record: Record) -> bool:
    """Whether a record that changes nothing here shows that the position was looked at."""
    return record.ref == site.ref or (not record.alts and len(site.ref) == 1)


def _spelt(site: Site, record: Record, ref: str, spelt: Sequence[str], data: SampleData) -> Spelt:
    if any(entry is not None and entry >= len(spelt) for entry in data.entries):
        raise Rejected(Code.INVALID_GENOTYPE, "a genotype names an allele that the record does not list", site.locus)
    alleles = tuple(None if entry is None else spelt[entry] for entry in data.entries)
    alts = tuple(alt for alt in dict.fromkeys(spelt[1:]) if alt != ref and (alt not in PLACEHOLDERS or alt in alleles))
    depths = None
    if data.depths is not None and len(data.depths) == len(spelt):
        depths = dict.fromkeys(spelt, 0)
        for allele, depth in zip(spelt, data.depths, strict=True):
            depths[allele] += depth
    return Spelt(ref, alts, alleles, data.phased, data.phase_set, depths, record.filter)
