"""Whole-panel lab results as messages: about 100 kB each, every patient another."""

from collections.abc import Iterator

import orjson

from bench.genotyper.samples import whole_panel
from knowledge.release import Release
from runtime.message import Outgoing
from runtime.settings import Settings
from schemas import cloudevents
from schemas.topics import LAB_RESULT

NUMBER = "bench-number"
"""Header that says which sample a message is, for the floor and for latencies."""
REPEATED = 8
"""So many different samples there are where they repeat."""


def lab_results(release: Release, count: int, kind: str, run: str, first: int = 0) -> Iterator[bytes]:
    """Values of lab results; ``run`` keeps the patients of several runs apart, ``first`` what different ones show."""
    for number in range(count):
        seed = first + number if kind == "different" else number % REPEATED
        content = whole_panel(release, seed) | {"patient": f"p-{run}-{number}", "accession": f"A-{run}-{number}"}
        yield orjson.dumps(content)


def message(settings: Settings, value: bytes, number: int, run: str) -> Outgoing:
    """A lab result in binary mode."""
    headers = cloudevents.headers_of(LAB_RESULT, id=f"{run}-{number}", source="/bench", time="2026-01-01T00:00:00Z")
    key = f"bench/p-{run}-{number}".encode()
    return Outgoing(settings.topic(LAB_RESULT), key, value, (*headers, (NUMBER, str(number).encode())))
