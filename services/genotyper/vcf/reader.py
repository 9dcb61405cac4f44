"""A VCF file, sample by sample, as lab results."""

from collections.abc import Iterator, Mapping, Sequence, Set
from pathlib import Path
from typing import Any

import cyvcf2  # type: ignore[import-untyped]

from knowledge.release import Release
from schemas.errors import Code, Rejected
from services.genotyper.vcf.blocks import BlockLimits
from services.genotyper.vcf.collecting import UNREADABLE_RECORD, Collector
from services.genotyper.vcf.header import read_header
from services.genotyper.vcf.places import places
from services.genotyper.vcf.records import refusing
from services.genotyper.vcf.samples import SampleFields, lab_result

SAMPLES_AT_ONCE = 200
"""Samples held in memory; a file with more is read several times."""

_BGZF_END = bytes.fromhex("1f8b08040000000000ff0600424302001b0003000000000000000000")
_GZIP = b"\x1f\x8b"


def read(
    path: Path,
    release: Release,
    general: SampleFields | None = None,
    samples: Mapping[str, SampleFields] | None = None,
    limits: BlockLimits | None = None,
) -> Iterator[dict[str, Any]]:
    """One lab result for each sample of the file (or each sample of ``samples``), in the order of the file.

    ``general`` are the fields that all samples share. Only rows at the release's positions are taken, research genes
    included. Raises Rejected where the file cannot be read, is not on GRCh38, or the samples do not fit.
    """
    _check_end(path)
    vcf = _open(path)
    with refusing("the header cannot be read", "header"):
        header_text, names = vcf.raw_header, list(vcf.samples)
    vcf.close()
    header = read_header(header_text)
    general = general or SampleFields()
    chosen = _chosen(names, general, samples)
    known = places(release)
    for start in range(0, len(chosen), SAMPLES_AT_ONCE):
        batch = chosen[start : start + SAMPLES_AT_ONCE]
        collector = Collector(known, header, len(batch), limits or BlockLimits())
        collector.read(_records(path, [name for _, name in batch], known.contigs))
        for index, (column, name) in enumerate(batch):
            fields = (samples or {}).get(name, SampleFields()).over(general)
            yield lab_result(fields, header, column, collector.rows(index))


def _chosen(
    names: Sequence[str], general: SampleFields, samples: Mapping[str, SampleFields] | None
) -> list[tuple[int, str]]:
    """Column and name of the samples to read."""
    if not names:
        raise Rejected(Code.INVALID_FIELD, "the file has no sample column", "header")
    if samples is not None:
        if unknown := len(samples.keys() - set(names)):
            raise Rejected(Code.INVALID_FIELD, f"{unknown} samples of the list are not in the file", "samples")
        return [(column, name) for column, name in enumerate(names) if name in samples]
    if len(names) > 1 and (general.patient or general.accession):
        message = f"the file has {len(names)} samples; patients and accessions have to be given for each"
        raise Rejected(Code.INVALID_FIELD, message, "samples")
    return list(enumerate(names))


def _open(path: Path, samples: list[str] | None = None) -> Any:
    with refusing("the file is not a VCF that can be read", "file"):
        return cyvcf2.VCF(str(path), samples=samples, lazy=True)


def _records(path: Path, samples: list[str], contigs: Set[str]) -> Iterator[Any]:
    """The records on these contigs.

    Records on contigs that the header lacks are never looked at: where such a line cannot be read, the library hands
    out a half-read record all the same, and that ends the process. So the header is given the contigs that matter, and
    records are unpacked late (``lazy``).
    """
    vcf = _open(path, samples)
    try:
        with refusing(UNREADABLE_RECORD, "records"):
            for contig in sorted(contigs):
                vcf.add_to_header(f"##contig=<ID={contig}>")
            for variant in vcf:
                if variant.CHROM in contigs:
                    yield variant
    finally:
        vcf.close()


def _check_end(path: Path) -> None:
    """Raises Rejected where a block-compressed file lacks its end marker: it was cut off on its way."""
    with path.open("rb") as file:
        start = file.read(18)
        if not start.startswith(_GZIP) or start[12:14] != b"BC":
            return
        file.seek(-len(_BGZF_END), 2)
        if file.read() != _BGZF_END:
            raise Rejected(Code.INVALID_FIELD, "the compressed file is not complete", "file")
