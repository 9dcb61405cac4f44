"""``python -m bench.sizing``: measures what samples cost and writes docs/sizing.json and docs/sizing.md."""

import argparse

from bench.pipeline.machine import machine
from bench.sizing import measure
from bench.sizing.figures import ROOT, Figures
from bench.sizing.page import page
from knowledge.loader import Releases

PAGE = ROOT / "docs/sizing.md"


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m bench.sizing", description=__doc__)
    parser.add_argument("--page", action="store_true", help="only write the page again, from the figures kept")
    parser.add_argument("--samples", type=int, default=2_000, help="whole panels; of small ones five times as many")
    parser.add_argument("--copies", type=int, default=2, help="the most genotypers beside one another")
    parser.add_argument("--try-out", action="store_true", help="print the page and keep nothing")
    arguments = parser.parse_args()
    figures = Figures.load() if arguments.page else _measured(arguments.samples, arguments.copies)
    if arguments.try_out:
        print(page(figures))
        return
    figures.save()
    PAGE.write_text(page(figures), encoding="utf-8")


def _measured(samples: int, most: int) -> Figures:
    releases = Releases()
    release = releases.load(releases.newest())
    peaks: dict[str, float] = {}
    described = measure.described()
    with machine() as here:
        copies = {number: measure.genotypers(here, release, number, samples) for number in range(1, most + 1)}
        kinds = []
        for name in ("whole panels", "small panels"):
            settings = here.settings(f"{name.split()[0]}.", "faust")
            if name == "whole panels":
                messages = measure.whole_panels(settings, release, samples, "whole")
            else:
                messages = measure.small_panels(settings, 5 * samples)
            found, used = measure.kind(here, settings, name, messages)
            kinds.append(found)
            peaks = {service: round(max(peaks.get(service, 0.0), used[service])) for service in used}
    rounded = {number: round(rate, 1) for number, rate in copies.items()}
    return Figures(machine=described, kinds=tuple(kinds), peak_megabytes=peaks, copies=rounded)


if __name__ == "__main__":
    main()
