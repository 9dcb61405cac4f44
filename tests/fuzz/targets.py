"""What is fuzzed: bytes go in, and anything but an answer or a rejection is a finding."""

from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

import orjson

from bench.genotyper.samples import HEADER, heterozygous
from knowledge.loader import Releases
from schemas.cloudevents import Event, read_lab_result
from schemas.errors import Code, Rejected
from schemas.lab_result import LabResult
from schemas.serialise import to_json
from services.genotyper.handler import Genotyper
from services.genotyper.options import Options, Research
from services.genotyper.vcf import read
from services.phenotyper.handler import Phenotyper
from tests.schemas.builders import lab_result
from tests.services.genotyper.vcf.files import bgzip, text

RELEASE = Releases().load("2025.11")
_GENOTYPERS = (
    Genotyper(lambda _: RELEASE),
    Genotyper(lambda _: RELEASE, Options(candidates="all", combinations=True, research=frozenset(Research))),
)
_PHENOTYPER = Phenotyper(lambda _: RELEASE)


def event(value: bytes) -> None:
    """A message's value, all the way to phenotypes."""
    try:
        read_in = read_lab_result(value)
    except Rejected as rejected:
        _expect(rejected)
        return
    for genotyper in _GENOTYPERS:
        _answer(genotyper, read_in)


def vcf(content: bytes) -> None:
    """A VCF file, plain or compressed, all the way to phenotypes."""
    with TemporaryDirectory() as folder:
        path = Path(folder) / "sample.vcf"
        path.write_bytes(content)
        try:
            for result in read(path, RELEASE):
                _answer(_GENOTYPERS[0], read_lab_result(orjson.dumps(result)))
        except Rejected as rejected:
            _expect(rejected)


def _answer(genotyper: Genotyper, said: Event[LabResult]) -> None:
    try:
        called = genotyper.handle(said)
        to_json(_PHENOTYPER.handle(Event(said.id, said.source, "", said.time, called, said.sha256)))
    except Rejected as rejected:
        _expect(rejected)


def _expect(rejected: Rejected) -> None:
    assert rejected.code is not Code.INTERNAL_ERROR
    assert rejected.message


def event_seeds() -> Iterator[bytes]:
    """Lab results of all kinds to begin with."""
    yield orjson.dumps(lab_result())
    yield orjson.dumps(
        {"specversion": "1.0", "id": "1", "source": "/a", "type": "pgx.lab-result.v1", "data": lab_result()}
    )
    for symbol in ("DPYD", "RYR1", "NAT2", "SLCO1B1", "G6PD", "MT-RNR1", "CYP2D6"):
        gene = RELEASE.genes[symbol]
        for count in (0, 2, len(gene.definition.positions)):
            yield orjson.dumps(HEADER | {"accession": "seed", "genotypes": heterozygous(gene, count)[: 4 + count]})
    odd = ({"gt": "0|1", "ps": 1}, {"gt": "./."}, {"gt": "1/.", "ad": [9, 0]}, {"gt": "0/2", "alt": ["*", "<DEL>"]})
    rows = [row | change for row, change in zip(heterozygous(RELEASE.genes["CYP2C19"], 4), odd, strict=False)]
    yield orjson.dumps(HEADER | {"accession": "seed", "genotypes": rows})
    for diplotype in ("*1x2/*4", "*36+*10/*2x≥3", "*15:02:01/B*57:01", "m.1555A>G", "./."):
        reported = [{"gene": gene, "diplotype": diplotype} for gene in ("CYP2D6", "HLA-B", "MT-RNR1")]
        yield orjson.dumps(HEADER | {"accession": "seed", "reported": reported})


def vcf_seeds() -> Iterator[bytes]:
    """VCF files of all kinds to begin with."""
    records = (
        "chr10 94781859 rs4244285 G A . PASS . GT:AD:DP:GQ:PS 0|1:9,8:17:60:94781859",
        "chr10 94761900 . C T,<NON_REF> . LowQual . GT:DP 1/2:30",
        "chr10 94780653 . G <NON_REF> . . END=94790000 GT:MIN_DP:GQ 0/0:30:99",
        "chr2 233760233 rs3064744 C CAT,CATAT . . . GT 1/2",
        "chrX 154536002 . C T . . . GT 1",
        "chrM 1555 . A G . . . GT 1",
    )
    plain = text(records).encode()
    yield plain
    yield text([record + " ./." for record in records], samples=("S1", "S2")).encode()
    yield bgzip(plain)
