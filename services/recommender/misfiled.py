"""One accession under several patients: a result that was filed under the wrong one. Pure.

Laboratory and accession name one sample, and a sample has one patient. Where a tenant has the same accession under
several patients, whoever reads one of them is told, from what counts for the others now. It is no input of the patient:
no event is published for it, and calls and advice stay as the patient's own input makes them. A laboratory that uses
an accession number for more than a few patients does not name samples with it: then nothing follows from it.
"""

from collections.abc import Iterable, Mapping, Sequence

from schemas.finding import Finding, FindingKind, Significance
from schemas.lab_result import Status
from schemas.phenotype import ResultNote
from services.recommender import confidence
from services.recommender.merging import Accession

MOST_OTHERS = 8
"""Other patients of one accession; with more of them the number does not name a sample."""

Elsewhere = Mapping[Accession, Sequence[Status]]
"""By accession of a patient: the status of the result that counts for each other patient who has the accession. Of very
many patients as many as show that."""

_SETTLE = (
    "Ask the laboratory whose sample it is, and let it withdraw the result for the other patient.",
    "Until then the result counts here as any other: its advice does not carry this doubt.",
)


def misfiled(results: Iterable[ResultNote], elsewhere: Elsewhere) -> tuple[Finding, ...]:
    """What is to be known about a patient's results that others have as well. ``results``: one for each accession."""
    told = ((note, elsewhere.get((note.laboratory, note.accession), ())) for note in results)
    return tuple(finding for note, others in told if (finding := _finding(note, others)) is not None)


def _finding(note: ResultNote, others: Sequence[Status]) -> Finding | None:
    if not others or len(others) > MOST_OTHERS:
        return None
    named, withdrawn = f"{note.accession} of {note.laboratory}", Status(note.status).withdrawn
    significance, care = Significance.FOUND, tuple[str, ...]()
    if all(other.withdrawn for other in others):
        if withdrawn:
            return None
        meaning = f"{named} was filed under another patient as well and is withdrawn there."
        care = ("Let the laboratory confirm that the sample is this patient's.",)
    elif withdrawn:
        meaning = f"{named} is withdrawn here ({note.status}) and counts under another patient: it was filed wrongly."
        care = ("Check what was decided on this result while it was filed here.",)
    else:
        significance = Significance.POSSIBLE
        meaning = f"{named} is filed under another patient as well, and counts there too: one of the two has the "
        meaning += "results of somebody else."
        care = _SETTLE
    doubts = ("the result is filed under another patient as well",) if significance is Significance.POSSIBLE else ()
    return Finding(
        finding=f"{FindingKind.IDENTITY}-{note.laboratory}-{note.accession}",
        condition="result filed under several patients",
        significance=significance,
        gene="",
        phenotype="",
        diplotype=None,
        meaning=meaning,
        care=care,
        limits=("It does not show whose sample it is.",),
        references=(),
        confidence=confidence.of(doubts),
        confidence_reasons=doubts,
        results=(note,),
        preliminary=note.status == Status.PRELIMINARY,
        kind=FindingKind.IDENTITY,
    )
