"""docs/sizing.md out of the figures: what was measured, and what so many samples a day need."""

import math

from bench.sizing.figures import Figures, Kind
from schemas.topics import TOPICS

DAILY = (1_000, 10_000, 100_000, 1_000_000)
PEAK = 4.0
"""The busiest hour has so many times the mean: laboratories release results in the working day."""
BUSY = 0.5
"""No processor is planned to be busier than this in that hour: room for catching up and for what was not thought of."""
REPLICAS = 3
_SECONDS = 86_400
_DAYS = 365
SERVICES = ("genotyper", "phenotyper", "recommender")
PROCESSES = (*SERVICES, "broker", "database")


def processors(kind: Kind, process: str, daily: int) -> float:
    """Processors that a process needs for so many samples a day, peak and reserve included."""
    return daily / _SECONDS * PEAK * kind.processor_ms[process] / 1000 / BUSY


def copies(kind: Kind, service: str, daily: int) -> int:
    """Copies of a service: each uses one processor."""
    return max(1, math.ceil(processors(kind, service, daily)))


def bus_bytes(kind: Kind, daily: int) -> float:
    """On the brokers' disks, one replica, once the topics have been filled for as long as they keep events.

    Compacted topics count with the days that they surely keep everything; what stays for longer is in
    :func:`lasting_bus_bytes`.
    """
    kept = {topic.name: topic.keep or topic.compact_after for topic in TOPICS}
    days = {name: span.total_seconds() / _SECONDS for name, span in kept.items() if span is not None}
    return sum(daily * days.get(name, 0) * size for name, size in kind.topic_bytes.items())


def lasting_bus_bytes(kind: Kind, daily: int) -> float:
    """What a year adds to compacted topics, one replica, where every sample is another patient's."""
    lasting = {topic.name for topic in TOPICS if topic.keep is None}
    return sum(daily * _DAYS * size for name, size in kind.topic_bytes.items() if name in lasting)


def page(figures: Figures) -> str:
    """The whole page."""
    parts = [_HEAD, _measured(figures), _copies(figures), _NEEDS, *(_needs(kind) for kind in figures.kinds), _TAIL]
    return "\n".join(parts)


def _measured(figures: Figures) -> str:
    kinds = figures.kinds
    rows: list[tuple[str, list[str]]] = [
        ("lab result", [_size(kind.value_bytes) for kind in kinds]),
        ("samples measured", [f"{kind.samples:,}" for kind in kinds]),
        *((f"processor, {name}", [f"{kind.processor_ms[name]:.1f} ms" for kind in kinds]) for name in PROCESSES),
        *(
            (f"disk, `{name}`", [_size(kind.topic_bytes.get(name, 0)) for kind in kinds])
            for name in sorted({name for kind in kinds for name in kind.topic_bytes})
        ),
        ("disk, results store", [_size(kind.store_bytes) for kind in kinds]),
        ("written ahead by the store", [_size(kind.write_ahead_bytes) for kind in kinds]),
    ]
    lines = [f"On {figures.machine}, for one sample, each another patient's:", ""]
    lines += [_row("", *(kind.name for kind in kinds)), _row("---", *("---:" for _ in kinds))]
    lines += [_row(name, *values) for name, values in rows]
    peaks = ", ".join(f"{name} {megabytes:.0f} MB" for name, megabytes in figures.peak_megabytes.items())
    return "\n".join([*lines, "", f"Memory of each copy at its highest: {peaks}.", ""])


def _copies(figures: Figures) -> str:
    one = min(figures.copies)
    lines = ["## More copies, more throughput", ""]
    lines += ["Whole panels, so many genotypers beside one another on that machine, with the broker:", ""]
    lines += [_row("copies", "samples a second", "times one copy"), _row("---:", "---:", "---:")]
    for number, rate in sorted(figures.copies.items()):
        lines.append(_row(str(number), f"{rate:.1f}", f"{rate / figures.copies[one]:.2f}"))
    lines += [
        "",
        "Where the load above exceeds the processors, other work shared them and these rates say nothing: measure",
    ]
    lines += [
        "again on a quiet machine. Processor times per sample suffer less. The broker's are high: it runs with the"
    ]
    lines += ["quick compiler only, for a fast start."]
    return "\n".join([*lines, ""])


def _needs(kind: Kind) -> str:
    columns = [f"{daily:,} a day" for daily in DAILY]
    lines = [f"### {kind.name}", "", _row("", *columns), _row("---", *("---:" for _ in columns))]
    lines.append(
        _row("mean, busiest hour", *(f"{d / _SECONDS:.2f}, {PEAK * d / _SECONDS:.2f} a second" for d in DAILY))
    )
    lines += [_row(f"copies of the {name}", *(str(copies(kind, name, daily)) for daily in DAILY)) for name in SERVICES]
    for name in PROCESSES:
        lines.append(_row(f"processors, {name}", *(f"{processors(kind, name, daily):.2f}" for daily in DAILY)))
    lines.append(_row(f"brokers' disks, {REPLICAS} replicas", *(_size(REPLICAS * bus_bytes(kind, d)) for d in DAILY)))
    lasting = [_size(REPLICAS * lasting_bus_bytes(kind, daily)) for daily in DAILY]
    lines.append(_row("more on them with each year", *lasting))
    lines.append(_row("store, with each year", *(_size(kind.store_bytes * daily * _DAYS) for daily in DAILY)))
    lines.append(_row("write-ahead log, each day", *(_size(kind.write_ahead_bytes * daily) for daily in DAILY)))
    return "\n".join([*lines, ""])


def _row(*cells: str) -> str:
    return f"| {' | '.join(cells)} |"


def _size(count: float) -> str:
    """Bytes with three digits that count, in powers of ten."""
    for unit in ("B", "kB", "MB", "GB"):
        if count < 1000:
            return f"{count:.3g} {unit}"
        count /= 1000
    return f"{count:,.3g} TB" if count < 1000 else f"{count:,.0f} TB"


_HEAD = """<!-- Generated by `python -m bench.sizing` from docs/sizing.json; do not edit. -->
# Sizing

What a number of samples a day needs. `python -m bench.sizing` measures the figures on the machine it runs on, on a real
Apache Kafka and a PostgreSQL that keeps its safety, and writes this page; `--page` only writes it again.

## Measured
"""

_NEEDS = f"""## What samples a day need

For the busiest hour, with {PEAK:.0f} times the mean, and no processor busier than {BUSY:.0%} in it. Every sample is
another patient's; corrections and repeated results cost the same work and less disk.
"""

_TAIL = """## Reading it

- A copy of a service uses one processor; more copies than partitions (`PGX_PARTITIONS`) stand idle.
- The brokers' disks hold what the topics keep: lab results and recommendations for 30 days, events between the stages
  for 7, dead letters for 90, and the last recommendation event of each patient for good.
- The store keeps the observed rows of every result, so that new allele definitions can be applied to old ones, and the
  history of the advice. Room for vacuuming and for indexes that are rebuilt: a third more.
- The write-ahead log has to be carried by backups and replicas, and kept as long as those want it.
- Brokers leave it to the kernel to write their files, the database waits for its own: on one disk, a flush of the
  broker's holds up the database meanwhile. Disks of their own keep latency even.
- A new database makes each segment of its log (16 MB) when it is first needed, and a confirmation waits for that. Later
  it uses old ones again; `min_wal_size` says how many it keeps for a rush.
- After an outage the backlog is worked off with what the processors have free beside the live load: planned as above,
  at least as fast again as the busiest hour.
"""
