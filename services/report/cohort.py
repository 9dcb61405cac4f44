"""A population's figures for people: as text, and as one page with plots that needs nothing else."""

from collections.abc import Iterable, Iterator
from html import escape
from typing import Protocol

from services.recommender.cohort import Cohort, Frequency, GeneFigures, Share

_BAR, _ROW, _LABEL, _FIGURE = 320, 18, 190, 150
_STYLE = """
body{font:15px/1.5 system-ui,sans-serif;margin:2rem auto;max-width:72rem;padding:0 1rem;color:#1a1a1a;background:#fff}
h1{font-size:1.5rem}h2{font-size:1.1rem;margin:2rem 0 .3rem}.pair{display:flex;flex-wrap:wrap;gap:2rem}
svg text{font:12px system-ui,sans-serif;fill:#1a1a1a}.bar{fill:#4a78a8}.act{fill:#b5452c}.track{fill:#eceff3}
figcaption,p.note{color:#555;font-size:.9rem}figure{margin:0}
"""


def text(cohort: Cohort, most: int = 8) -> Iterator[str]:
    """Lines for a terminal; of each gene the ``most`` frequent alleles and phenotypes."""
    yield f"{patients_of(cohort)}, knowledge release {cohort.release}"
    yield f"groups of fewer than {cohort.smallest} patients are not shown"
    for label, share in _shares(cohort):
        yield f"{label}: {share_text(share)}"
    for one in cohort.drugs:
        yield f"  {one.name:<30} {one.count:>10,}"
    for gene in cohort.genes:
        yield ""
        yield f"{gene.gene}  {gene.patients:,} patients{_ambiguous(gene)}"
        for title, figures in (("alleles", gene.alleles), ("phenotypes", gene.phenotypes)):
            for number, one in enumerate(figures[:most]):
                act = "  act" if one.actionable else ""
                yield f"  {title if not number else '':<11} {one.name:<44} {one.count:>10,} {one.share:>8.2%}{act}"
            if len(figures) > most:
                yield f"  {'':<11} and {len(figures) - most} more"


def page(cohort: Cohort) -> str:
    """One HTML page with the plots in it."""
    parts = [
        head("Cohort", cohort),
        f'<p class="note">Knowledge release {escape(cohort.release)}. Groups of fewer than {cohort.smallest} patients '
        "are not shown. A red phenotype alone gets advice to avoid a drug, to change its dose or to consider another."
        "</p>",
        *(f"<p>{escape(label)}: <b>{escape(share_text(share))}</b></p>" for label, share in _shares(cohort)),
    ]
    if cohort.drugs:
        parts += ["<h2>Taken against advice</h2>", plot("Patients by drug", cohort.drugs)]
    for gene in cohort.genes:
        parts.append(f"<h2>{escape(gene.gene)}</h2><p class='note'>{gene.patients:,} patients{_ambiguous(gene)}</p>")
        plots = (plot("Alleles", gene.alleles), plot("Phenotypes", gene.phenotypes))
        parts.append(f'<div class="pair">{"".join(plots)}</div>')
    return "\n".join(parts) + "\n</html>\n"


def plot(title: str, figures: Iterable[Frequency], most: int = 15) -> str:
    """Horizontal bars as SVG, the most frequent first, as long as their share of the whole."""
    shown = list(figures)[:most]
    rows = []
    for number, one in enumerate(shown):
        top = number * _ROW
        label = one.name if len(one.name) <= 30 else one.name[:29] + "…"
        rows.append(
            f'<text x="{_LABEL - 6}" y="{top + 13}" text-anchor="end">{escape(label)}<title>{escape(one.name)}</title>'
            f'</text><rect class="track" x="{_LABEL}" y="{top + 3}" width="{_BAR}" height="{_ROW - 5}"/>'
            f'<rect class="{"act" if one.actionable else "bar"}" x="{_LABEL}" y="{top + 3}" '
            f'width="{_BAR * min(1.0, one.share):.1f}" height="{_ROW - 5}"/>'
            f'<text x="{_LABEL + _BAR + 6}" y="{top + 13}">{one.count:,} ({one.share:.2%})</text>'
        )
    height = max(1, len(shown)) * _ROW
    width = _LABEL + _BAR + _FIGURE
    return (
        f'<figure><figcaption>{escape(title)}</figcaption><svg role="img" aria-label="{escape(title)}" width="{width}" '
        f'height="{height}" viewBox="0 0 {width} {height}">{"".join(rows)}</svg></figure>'
    )


class Population(Protocol):
    """Whose figures they are."""

    @property
    def tenant(self) -> str | None: ...
    @property
    def smallest(self) -> int: ...
    @property
    def patients(self) -> int | None: ...


def head(title: str, population: Population) -> str:
    """How a page begins, up to its first heading."""
    whom = escape(patients_of(population))
    return (
        f'<!doctype html><html lang="en"><meta charset="utf-8"><title>{escape(title)}: {whom}</title>'
        f"<style>{_STYLE}</style>\n<h1>{whom}</h1>"
    )


def patients_of(population: Population) -> str:
    """How many patients they are, and whose."""
    number = population.patients
    whom = "all tenants" if population.tenant is None else population.tenant
    return (f"fewer than {population.smallest} patients" if number is None else f"{number:,} patients") + f" of {whom}"


def _shares(cohort: Cohort) -> Iterator[tuple[str, Share]]:
    if cohort.actionable is not None:
        yield "with at least one actionable phenotype", cohort.actionable
    if cohort.against is not None:
        yield "who take a drug that advice says to avoid, of those whose medications are known", cohort.against


def share_text(one: Share) -> str:
    """A part of a group, in numbers and percent."""
    if one.patients is None:
        return f"not shown, of {one.of:,}"
    return f"{one.patients:,} of {one.of:,}" + (f" ({one.patients / one.of:.1%})" if one.of else "")


def _ambiguous(gene: GeneFigures) -> str:
    return f", {gene.ambiguous:,} with several possible diplotypes" if gene.ambiguous else ""
