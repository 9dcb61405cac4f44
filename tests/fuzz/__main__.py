"""``python -m tests.fuzz event|vcf [SECONDS]``: atheris (libFuzzer) runs a target till it fails or the time is over."""

import sys
from pathlib import Path
from tempfile import TemporaryDirectory

try:
    import atheris  # type: ignore[import-not-found, unused-ignore]
except ImportError:
    sys.exit("this needs atheris: pip install atheris (not part of the locked requirements)")

with atheris.instrument_imports(include=["schemas", "services"]):
    from tests.fuzz import targets

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
            target,
        )
        atheris.Fuzz()


if __name__ == "__main__":
    main()
