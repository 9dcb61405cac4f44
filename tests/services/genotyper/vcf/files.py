"""Small VCF files, written where a test wants them."""

import struct
import zlib
from collections.abc import Sequence
from pathlib import Path

from services.genotyper.vcf import SampleFields, read
from tests.services.genotyper.samples import RELEASE

CHR10 = "##contig=<ID=chr10,length=133797422,assembly=GRCh38>"
FORMATS = (
    '##FORMAT=<ID=GT,Number=1,Type=String,Description="genotype">',
    '##FORMAT=<ID=AD,Number=R,Type=Integer,Description="depth by allele">',
    '##FORMAT=<ID=DP,Number=1,Type=Integer,Description="depth">',
    '##FORMAT=<ID=MIN_DP,Number=1,Type=Integer,Description="lowest depth">',
    '##FORMAT=<ID=GQ,Number=1,Type=Integer,Description="quality">',
    '##FORMAT=<ID=PS,Number=1,Type=Integer,Description="phase set">',
    '##INFO=<ID=END,Number=1,Type=Integer,Description="end of a block">',
    '##FILTER=<ID=LowQual,Description="low quality">',
)
CONTIGS = tuple(f"##contig=<ID={prefix}{n}>" for prefix in ("chr", "") for n in (1, 2, 7, 12, 13, 16, 19, 22, "X", "M"))
CONTIGS += ("##contig=<ID=10>", "##contig=<ID=MT>")


def text(records: Sequence[str], *, samples: Sequence[str] = ("S1",), header: Sequence[str] = (CHR10,)) -> str:
    """A file with these records, written with blanks for tabs."""
    columns = ["CHROM", "POS", "ID", "REF", "ALT", "QUAL", "FILTER", "INFO", "FORMAT", *samples]
    lines = ["##fileformat=VCFv4.2", *header, *CONTIGS, *FORMATS, "#" + "\t".join(columns)]
    return "\n".join([*lines, *("\t".join(record.split()) for record in records)]) + "\n"


def bgzip(content: bytes, end: bool = True) -> bytes:
    """Blocked gzip, as the SAM specification section 4.1 describes it."""
    blocks = [content[i : i + 60_000] for i in range(0, len(content), 60_000)] + ([b""] if end else [])
    return b"".join(map(_block, blocks))


def _block(data: bytes) -> bytes:
    compressor = zlib.compressobj(6, zlib.DEFLATED, -15)
    packed = compressor.compress(data) + compressor.flush()
    size = len(packed) + 25
    head = b"\x1f\x8b\x08\x04\0\0\0\0\0\xff\x06\0BC\x02\0" + struct.pack("<H", size)
    return head + packed + struct.pack("<II", zlib.crc32(data), len(data))


def rows(folder: Path, *records: str, **kwargs: object) -> list[dict[str, object]]:
    """The rows of a one-sample file."""
    path = folder / "sample.vcf"
    path.write_text(text(records, **kwargs))  # type: ignore[arg-type]
    (result,) = read(path, RELEASE, SampleFields())
    return result["genotypes"]  # type: ignore[no-any-return]
