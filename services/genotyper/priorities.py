"""Which of several unphased diplotypes is reported where convention, not the score, decides.

Specification: "Unphased-priority mode" (NAT2).
"""

from collections.abc import Sequence

from knowledge.model import Priority
from services.genotyper.scoring import Scored


def pick(found: Sequence[Scored], priorities: Sequence[Priority]) -> Scored | None:
    """The diplotype to report, or None where no list of alternatives is contained in what was found.

    Priorities are tried in their order; all alternatives of one must be among the diplotypes.
    """
    by_label = {"/".join(each.alleles): each for each in found}
    for priority in priorities:
        if all(_find(by_label, candidate) is not None for candidate in priority.candidates):
            return _find(by_label, priority.pick)
    return None


def _find(by_label: dict[str, Scored], label: str) -> Scored | None:
    return by_label.get(label) or by_label.get("/".join(reversed(label.split("/"))))
