"""The figures that sizing rests on, as they were measured and are kept in docs/sizing.json."""

from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import orjson

ROOT = Path(__file__).resolve().parents[2]
STORED = ROOT / "docs/sizing.json"


@dataclass(frozen=True)
class Kind:
    """One kind of lab result. Everything is for one sample, which is one patient's."""

    name: str
    samples: int
    """How many were measured."""
    value_bytes: int
    """Size of the lab result's value."""
    processor_ms: dict[str, float]
    """By process: the three services, ``broker`` and ``database``."""
    topic_bytes: dict[str, float]
    """On the broker's disk, by topic, one replica."""
    store_bytes: float
    """In the results store, indexes included."""
    write_ahead_bytes: float
    """Written to the store's write-ahead log: what backups and replicas have to carry."""


@dataclass(frozen=True)
class Figures:
    machine: str
    kinds: tuple[Kind, ...]
    peak_megabytes: dict[str, float]
    """Highest resident memory of each service."""
    copies: dict[int, float]
    """Whole-panel samples a second that so many genotypers on one machine call."""

    def save(self, path: Path = STORED) -> None:
        path.write_bytes(orjson.dumps(asdict(self), option=orjson.OPT_INDENT_2 | orjson.OPT_NON_STR_KEYS) + b"\n")

    @classmethod
    def load(cls, path: Path = STORED) -> "Figures":
        content: dict[str, Any] = orjson.loads(path.read_bytes())
        kinds = tuple(Kind(**kind) for kind in content.pop("kinds"))
        copies = {int(number): rate for number, rate in content.pop("copies").items()}
        return cls(kinds=kinds, copies=copies, **content)
