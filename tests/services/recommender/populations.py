"""Random patients as laboratories and hospitals know them."""

from dataclasses import dataclass
from typing import Any

from hypothesis import strategies as st

from schemas.cloudevents import Event
from services.recommender.discordance import Policy
from services.recommender.handler import Taken
from tests.services.recommender.activating import OLD, said
from tests.services.recommender.builders import release
from tests.support.results import lab_result, phenotyped

PANEL = {
    "TPMT": ("*1/*1", "*1/*3A", "*1/*6", "*5/*8", "*1/*44"),
    "NUDT15": ("*1/*1", "*1/*5", "*3/*4", "*1/*10"),
    "RYR1": ("Reference/Reference", "Reference/c.7522C>G", "Reference/c.1209C>G"),
    "CYP2C19": ("*1/*1", "*2/*2", "*1/*17"),
    "CYP2D6": ("*1/*1", "*4/*4", "*1/*4"),
    "DPYD": ("Reference/Reference", "Reference/c.1905+1G>A (*2A)"),
    "CYP2C9": ("*1/*1", "*3/*3"),
    "VKORC1": ("rs9923231 reference (C)/rs9923231 reference (C)",),
}
CALLS = st.fixed_dictionaries({}, optional={gene: st.sampled_from(named) for gene, named in PANEL.items()})
MEDICATIONS = st.lists(
    st.sampled_from(("azathioprine", "paroxetine", "warfarin", "gefitinib", "amikacin")), unique=True, max_size=2
)


@dataclass(frozen=True)
class Population:
    """Patients as laboratories and hospitals know them."""

    results: tuple[dict[str, Any], ...]
    statements: tuple[Event[Any], ...]
    policy: Policy

    def called_under(self, name: str) -> list[Taken]:
        return [*(phenotyped(one, release(name)) for one in self.results), *self.statements]


@st.composite
def populations(draw: st.DrawFn) -> Population:
    results: list[dict[str, Any]] = []
    statements: list[Event[Any]] = []
    for number in range(draw(st.integers(1, 5))):
        name = f"p-{number}"
        for laboratory in draw(st.lists(st.sampled_from(("acme", "other")), min_size=1, max_size=2, unique=True)):
            calls = draw(CALLS) or {"TPMT": "*1/*1"}
            day = 1 + len(results)
            results.append(lab_result(calls, release(OLD), patient=name, laboratory=laboratory, day=day))
        if taken := draw(MEDICATIONS):
            statements.append(said(name, medications=[{"name": one, "status": "started"} for one in taken]))
    return Population(tuple(results), tuple(statements), draw(st.sampled_from(Policy)))
