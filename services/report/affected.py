"""Whom a release would affect, for people: as text, and as one page with plots that needs nothing else."""

from collections.abc import Iterator
from html import escape

from services.recommender.affected import Affected
from services.report.cohort import head, patients_of, plot, share_text

_WITHHELD = "Groups of fewer than {} patients, and those that leave so few out, are not shown."


def text(found: Affected) -> Iterator[str]:
    """Lines for a terminal."""
    yield f"{patients_of(found)} would come under knowledge release {found.release}"
    yield from _told(found)
    for title, figures in (("genes", found.genes), ("drugs", found.drugs)):
        if figures:
            yield ""
        for number, one in enumerate(figures):
            yield f"{title if not number else '':<6} {one.name:<44} {one.count:>10,} {one.share:>8.2%}"


def page(found: Affected) -> str:
    """One HTML page with the plots in it."""
    parts = [
        head(f"Release {found.release}", found),
        f"<p>would come under knowledge release {escape(found.release)}.</p>",
        *(f"<p>{escape(line)}</p>" for line in _told(found)),
    ]
    if found.genes or found.drugs:
        plots = (plot("Patients by gene", found.genes), plot("Patients by drug", found.drugs, most=len(found.drugs)))
        parts.append(f'<div class="pair">{"".join(plots)}</div>')
    return "\n".join(parts) + "\n</html>\n"


def _told(found: Affected) -> Iterator[str]:
    if found.affected is not None:
        yield f"whose advice would change: {share_text(found.affected)}"
    yield _WITHHELD.format(found.smallest)
