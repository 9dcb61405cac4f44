"""``python -m tests.services.genotyper.limited``: the worst samples known, each in a process that may take little.

Each is answered cold in a fork of its own that ends when it takes more than the limits beyond what it began with:
``SECONDS`` of processor time and ``MEGABYTES`` of memory. Prints a line for each: its name and how its process ended.
"""

import os
import resource
import signal
import sys
import tempfile
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any

import orjson

from bench.genotyper.samples import HEADER, heterozygous
from cli.evaluation import Evaluator, Stage
from knowledge.loader import Releases
from schemas.errors import Code, Rejected
from services.genotyper.options import Options, Research
from services.genotyper.vcf import read
from tests.services.genotyper.vcf.files import text

SECONDS = 1.0
MEGABYTES = 200
RELEASE = Releases().load("2025.11")
EVERYTHING = Options(candidates="all", combinations=True, research=frozenset(Research))
GOOD = "exit 0"
"""How the process of a sample ends that was answered (called or rejected) within the limits."""

Rows = list[dict[str, Any]]
_USUAL = Options()
_EVALUATORS = {options: Evaluator(RELEASE, Stage.RECOMMENDATION, options) for options in (_USUAL, EVERYTHING)}
_ORDINARY = orjson.dumps(HEADER | {"accession": "ordinary", "genotypes": heterozygous(RELEASE.genes["CYP2C19"], 1)})


def genes(symbols: Iterable[str] = RELEASE.genes, count: int = 40) -> Rows:
    """So many unphased heterozygotes in each of the genes."""
    return [row for symbol in symbols for row in heterozygous(RELEASE.genes[symbol], count)]


def in_sets(rows: Rows, sets: int) -> Rows:
    """The same in so many phase sets."""
    return [row | {"gt": row["gt"].replace("/", "|"), "ps": number % sets} for number, row in enumerate(rows)]


def events() -> Iterator[tuple[str, Options, bytes]]:
    """Name, options and bytes of each lab result."""
    everywhere = genes()
    variants: dict[str, Rows] = {
        "40 heterozygotes in each gene": everywhere,
        "6 heterozygotes in each gene": genes(count=6),
        "6 sets of one in each gene": in_sets(genes(count=6), 6),
        "2 sets in each gene": in_sets(genes(count=10_000), 2),
        "all heterozygous": genes(count=10_000),
        "10 sets in each gene": in_sets(genes(count=10_000), 10),
        "half calls": [row | {"gt": row["gt"].replace("0/1", "./1")} for row in everywhere],
        "undocumented": [row | {"alt": ["TTTT"]} for row in everywhere],
        "RYR1": genes(["RYR1"], 10_000),
        "CYP2D6": genes(["CYP2D6"], 32),
        "one position ten thousand times": genes(["CYP2C19"], 1)[:1] * 10_000,
        "many alleles": [row | {"alt": ["A" * 60] * 10} for row in everywhere],
        "one row of very many alleles": [row | {"alt": ["A"] * 200_000} for row in everywhere[:1]],
        "one very long allele": [row | {"alt": ["A" * 900_000]} for row in everywhere[:1]],
    }
    for name, rows in variants.items():
        for options in _EVALUATORS:
            wide = " (everything asked for)" if options is EVERYTHING else ""
            yield name + wide, options, orjson.dumps(HEADER | {"accession": "worst", "genotypes": rows})
    reported = [{"gene": "CYP2D6", "diplotype": "+".join(["*36x2"] * 100) + "/*1"}] * 1_500
    yield "reports", _USUAL, orjson.dumps(HEADER | {"accession": "worst", "reported": reported})
    unknown = HEADER | {"accession": "worst"} | {f"field-{number}": number for number in range(40_000)}
    yield "unknown fields", _USUAL, orjson.dumps(unknown)
    yield "nested arrays", _USUAL, b"[" * 900_000
    yield "nested objects", _USUAL, b'{"a":' * 180_000 + b"1" + b"}" * 10_000


def files() -> Iterator[tuple[str, str]]:
    """Name and content of each VCF file."""
    line = "chr10 94781859 . G {} . PASS {} GT 0/1"
    yield "long INFO", text([line.format("A", "X=" + "1" * 5_000_000)])
    yield "long ALT", text([line.format("A" * 5_000_000, ".")])
    yield "many ALT", text([line.format(",".join(["A"] * 5_000), ".")])
    yield "many records", text([line.format("A", ".")] * 2_000)
    yield "many samples", text([line.format("A", ".") + " 0/1" * 1_000], samples=[f"S{n}" for n in range(1_001)])


def cases() -> Iterator[tuple[str, Callable[[], bool]]]:
    """Name of each sample, and what answers it: False for an answer that is none."""
    for name, options, value in events():
        yield name, lambda options=options, value=value: _answered(options, value)  # type: ignore[misc]
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "sample.vcf"
        for name, content in files():
            path.write_text(content)
            yield f"VCF: {name}", lambda: _read(path)


def _answered(options: Options, value: bytes) -> bool:
    return b'"internal-error"' not in _EVALUATORS[options].evaluate(value).line


def _read(path: Path) -> bool:
    try:
        return bool(next(read(path, RELEASE)))
    except Rejected as rejected:
        return rejected.code is not Code.INTERNAL_ERROR


def main() -> None:
    for evaluator in _EVALUATORS.values():
        evaluator.evaluate(_ORDINARY)  # what a process prepares once is no sample's
    for name, answer in cases():
        child = os.fork()
        if child == 0:
            _limit()
            os._exit(0 if answer() else 1)
        _, status = os.waitpid(child, 0)
        ended = f"signal {os.WTERMSIG(status)}" if os.WIFSIGNALED(status) else f"exit {os.WEXITSTATUS(status)}"
        print(f"{name}\t{ended}", flush=True)


def _limit() -> None:
    size = int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
    resource.setrlimit(resource.RLIMIT_AS, (size + MEGABYTES * 2**20,) * 2)
    signal.signal(signal.SIGPROF, signal.SIG_DFL)
    signal.setitimer(signal.ITIMER_PROF, SECONDS)


if __name__ == "__main__":
    sys.exit(main())
