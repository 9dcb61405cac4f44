"""``python -m tests.fuzz event|vcf [SECONDS]``: atheris (libFuzzer) runs a target till it fails or the time is over."""

import sys
import time
from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory

try:
    import atheris  # type: ignore[import-not-found, unused-ignore]
except ImportError:
    sys.exit("this needs atheris: pip install atheris (not part of the locked requirements)")

with atheris.instrument_imports(include=["schemas", "services"]):
    from tests.fuzz import targets

MAX_SECONDS = 2.0
"""Processor time that one input may take: an event is answered twice, under the usual options and with all others."""
TARGETS = {"event": (targets.event, targets.event_seeds), "vcf": (targets.vcf, targets.vcf_seeds)}


def main() -> None:
    """What fails is kept as ``crash-…`` in the working directory."""
    name, seconds = sys.argv[1], int(sys.argv[2]) if len(sys.argv) > 2 else 300
    target, seeds = TARGETS[name]
    with TemporaryDirectory() as corpus:
        for number, seed in enumerate(seeds()):
            Path(corpus, f"seed-{number}").write_bytes(seed)
        atheris.Setup(
            [sys.argv[0], corpus, f"-max_total_time={seconds}", "-max_len=60000", "-timeout=20", "-rss_limit_mb=2048"],
            lambda data: _in_time(target, data),
        )
        atheris.Fuzz()


def _in_time(target: Callable[[bytes], None], data: bytes) -> None:
    began = time.process_time()
    target(data)
    assert time.process_time() - began < MAX_SECONDS, "took too long"


if __name__ == "__main__":
    main()
