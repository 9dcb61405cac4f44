"""Time from a whole-panel event's bytes to a validated lab result: ``python -m bench.genotyper.parse``.

Prints the best of many runs in milliseconds, since what disturbs a run only ever makes it slower.
"""

import time
from collections.abc import Callable

import orjson

from bench.genotyper.samples import whole_panel
from knowledge.loader import Releases
from schemas import cloudevents, lab_result
from schemas.topics import LAB_RESULT

RUNS = 300


def best(run: Callable[[], object]) -> float:
    """Milliseconds of the fastest run."""
    fastest = float("inf")
    for _ in range(RUNS):
        start = time.perf_counter()
        run()
        fastest = min(fastest, time.perf_counter() - start)
    return fastest * 1000


def main() -> None:
    releases = Releases()
    content = whole_panel(releases.load(releases.newest()), seed=1)
    value = orjson.dumps(content)
    phased = orjson.dumps(
        content | {"genotypes": [row | {"ps": row["pos"], "ad": [9, 8]} for row in content["genotypes"]]}
    )
    nulls = orjson.dumps(content | {"genotypes": [row | {"ps": None, "ad": None} for row in content["genotypes"]]})
    key = f"{content['tenant']}/{content['patient']}".encode()
    headers = cloudevents.headers_of(LAB_RESULT, id="1", source="/bench", time=content["issued"])
    print(f"{len(content['genotypes'])} rows, {len(value):,} bytes")
    for name, run in (
        ("orjson.loads alone", lambda: orjson.loads(value)),
        ("parse", lambda: lab_result.parse(value)),
        ("parse, with phase sets and depths", lambda: lab_result.parse(phased)),
        ("parse, with nulls", lambda: lab_result.parse(nulls)),
        ("decode a message in binary mode", lambda: cloudevents.decode_lab_result(key, value, headers)),
        ("decode a bare message", lambda: cloudevents.decode_lab_result(key, value, [])),
    ):
        print(f"{best(run):8.3f} ms  {name}")


if __name__ == "__main__":
    main()
