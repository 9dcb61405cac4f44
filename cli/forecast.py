"""What activating a release would do, before anything is done."""

from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

from cli.activation import Choice, same, wanted
from cli.interpretation import Interpreter
from cli.open_store import opened
from cli.sweep import scope_of
from knowledge.loader import Releases
from runtime.settings import Settings
from schemas.genotype import KnowledgeRef
from schemas.recommendation import Change, Recommendation
from services.recommender.interpretation import Governing
from services.recommender.reinterpretation import Reinterpreter
from services.recommender.store.activations import Activations, activations

_EXAMPLES = 3
_DOSES = ("dose_change", "dose_fixed", "dose_limit")


@dataclass(slots=True)
class Forecast:
    """Patients by what would become of them."""

    release: str
    """That would govern them."""
    patients: int = 0
    """That the release does not govern yet."""
    affected: int = 0
    """Of these, whose advice would change."""
    genes: Counter[str] = field(default_factory=Counter)
    drugs: Counter[str] = field(default_factory=Counter)
    changes: Counter[str] = field(default_factory=Counter)
    """By drug, source, population, and advice before and after."""
    examples: dict[str, list[str]] = field(default_factory=dict)
    """Pseudonyms for each change, where they are asked for."""

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


async def forecast(settings: Settings, choice: Choice, tell: Callable[[int], None], *, examples: bool) -> Forecast:
    """What a choice of release would do. ``tell``: patients looked at so far; ``examples``: name some.

    Raises:
        Unreachable: the database did not answer.
        NotSetUp: it has no tables of ours.
        Failure: there is no own choice to give up, or the release to follow is not installed here.
    """
    load = Releases(None, *settings.knowledge_folders).load
    interpreter = Interpreter(load)
    async with opened(settings, "forecast") as store:
        made = await activations(store.pool, interpreter)
        known = wanted(choice, made, load)
        found = Forecast(known.release)
        governing = Governing(_number(made, choice, known), known, interpreter)
        work = Reinterpreter(store, load, interpreter, governing, made)
        async for pseudonym, changes in work.outlook(scope_of(made, choice.tenant)):
            found.add(changes, pseudonym if examples else None)
            tell(found.patients)
    return found


def _number(made: Activations, choice: Choice, known: KnowledgeRef) -> int:
    """Of the choice: the last one's where it is that again, else the next."""
    last = made.last(choice.tenant)
    if last is not None and same(last, choice, known, made):
        return last.number
    return 1 + max((one.number for one in made.made), default=0)


def _sides(one: Change) -> list[Recommendation]:
    return [side for side in (one.before, one.after) if side is not None]


def _text(one: Change) -> str:
    about = _sides(one)[0]
    population = "" if about.population == "general" else f", {about.population}"
    before, after = _advice(one.before), _advice(one.after)
    told = f"{before} -> {after}" if before != after else f"{before}, now with other {' and '.join(_differing(one))}"
    return f"{about.drug} ({about.source}{population}): {told}"


def _differing(one: Change) -> list[str]:
    """What is another in advice of the same actions and strength."""
    before, after = one.before, one.after
    found = ["doses"] if any(getattr(before, name) != getattr(after, name) for name in _DOSES) else []
    if before and after and before.alternatives != after.alternatives:
        found.append("alternatives")
    return found or ["dose estimates"]


def _advice(side: Recommendation | None) -> str:
    if side is None:
        return "nothing"
    dose = " with a dose" if any(getattr(side, name) for name in _DOSES) else ""
    return ", ".join(side.actions) + dose + f" ({side.strength})"
