"""The page on sizing is what the figures kept beside it give, and its arithmetic is the stated one."""

from pathlib import Path

import pytest

from bench.sizing.figures import ROOT, Figures, Kind
from bench.sizing.page import BUSY, PEAK, bus_bytes, copies, lasting_bus_bytes, page, processors

PANEL = Kind(
    name="panels", samples=100, value_bytes=1_000,
    processor_ms={"genotyper": 5.0, "phenotyper": 1.0, "recommender": 20.0, "broker": 1.0, "database": 4.0},
    topic_bytes={"pgx.lab-result.v1": 1_000.0, "pgx.genotype.v1": 500.0, "pgx.recommendation.v1": 2_000.0},
    store_bytes=3_000.0, write_ahead_bytes=5_000.0,
)  # fmt: skip


def test_the_page_is_made_of_the_figures_that_are_kept() -> None:
    assert (ROOT / "docs/sizing.md").read_text(encoding="utf-8") == page(Figures.load()), (
        "python -m bench.sizing --page"
    )


def test_figures_survive_being_kept(tmp_path: Path) -> None:
    figures = Figures("a machine", (PANEL,), {"genotyper": 90.0}, {1: 100.0, 2: 180.0})
    file = tmp_path / "figures.json"
    figures.save(file)
    assert Figures.load(file) == figures


def test_processors_follow_the_busiest_hour_with_a_reserve() -> None:
    # A sample a second on average.
    assert processors(PANEL, "recommender", 86_400) == pytest.approx(PEAK * 0.020 / BUSY)
    assert copies(PANEL, "recommender", 86_400) == 1
    assert copies(PANEL, "recommender", 20 * 86_400) == 4


def test_the_bus_holds_what_its_retention_says() -> None:
    # Lab results and recommendations for 30 days, genotypes for 7.
    assert bus_bytes(PANEL, 10) == 10 * (30 * 1_000 + 7 * 500 + 30 * 2_000)
    assert lasting_bus_bytes(PANEL, 10) == 10 * 365 * 2_000
