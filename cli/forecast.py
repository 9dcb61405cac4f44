"""What activating a release would do, before anything is done."""

from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

from cli.activation import reference
from cli.interpretation import Interpreter
from cli.sweep import scope_of
from knowledge.loader import Releases
from knowledge.release import Release
from runtime.settings import Settings
from schemas.recommendation import Change, Recommendation
from services.recommender.interpretation import Governing
from services.recommender.reinterpretation import Reinterpreter
from services.recommender.store import Store
from services.recommender.store.activations import activations

_EXAMPLES = 3
_DOSES = ("dose_change", "dose_fixed", "dose_limit")


@dataclass(slots=True)
class Forecast:
    """Patients by what would become of them."""

    patients: int = 0
    """That the release does not govern yet."""
    affected: int = 0
    """Of these, whose advice would change."""
    genes: Counter[str] = field(default_factory=Counter)
    drugs: Counter[str] = field(default_factory=Counter)
    changes: Counter[str] = field(default_factory=Counter)
    """By drug, source, population, and advice before and after."""
    examples: dict[str, list[str]] = field(default_factory=dict)
    """Pseudonyms for each change, where one tenant is asked for."""

    def add(self, changes: Iterable[Change], pseudonym: str | None) -> None:
        """One more patient."""
        changes = tuple(changes)
        self.patients += 1
        self.affected += bool(changes)
        self.genes.update({gene for one in changes for side in _sides(one) for gene in side.genes})
        self.drugs.update({side.drug for one in changes for side in _sides(one)})
        texts = {_text(one) for one in changes}
        self.changes.update(texts)
        if pseudonym is not None:
            for text in texts:
                if len(known := self.examples.setdefault(text, [])) < _EXAMPLES:
                    known.append(pseudonym)


async def forecast(settings: Settings, release: Release, tenant: str | None, tell: Callable[[int], None]) -> Forecast:
    """What activating a release for a tenant, or for all (None), would do. ``tell``: patients looked at so far.

    Raises:
        Unreachable: the database did not answer.
    """
    load = Releases(None, *settings.knowledge_folders).load
    interpreter = Interpreter(load)
    found = Forecast()
    async with await Store.open(settings, "forecast") as store:
        made = await activations(store.pool, interpreter)
        last = made.last(tenant)
        again = last is not None and last.knowledge == reference(release)
        number = last.number if last is not None and again else 1 + max((one.number for one in made.made), default=0)
        governing = Governing(number, reference(release), interpreter)
        work = Reinterpreter(store, load, interpreter, governing, made)
        async for patient, changes in work.outlook(scope_of(made, tenant)):
            found.add(changes, patient.pseudonym if tenant is not None else None)
            tell(found.patients)
    return found


def _sides(one: Change) -> list[Recommendation]:
    return [side for side in (one.before, one.after) if side is not None]


def _text(one: Change) -> str:
    about = _sides(one)[0]
    population = "" if about.population == "general" else f", {about.population}"
    return f"{about.drug} ({about.source}{population}): {_advice(one.before)} -> {_advice(one.after)}"


def _advice(side: Recommendation | None) -> str:
    if side is None:
        return "nothing"
    dose = ", another dose" if any(getattr(side, name) for name in _DOSES) else ""
    return ", ".join(side.actions) + dose + f" ({side.strength})"
