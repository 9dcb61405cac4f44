"""Our own short wording of a rule, composed from its structured facts. The same rule always gives the same text."""

from collections.abc import Callable, Iterable, Iterator

from knowledge.model import DoseChange, DoseFixed, DoseLimit, Rule

_PHRASES = {
    "contraindicated": "contraindicated",
    "avoid": "avoid",
    "use-alternative": "use an alternative",
    "consider-alternative": "consider an alternative",
    "decrease-dose": "reduce the dose",
    "increase-dose": "increase the dose",
    "limit-dose": "limit the dose",
    "slower-titration": "titrate more slowly",
    "therapeutic-drug-monitoring": "monitor drug levels",
    "extra-monitoring": "monitor more closely",
    "test-enzyme-activity": "measure enzyme activity",
    "use-with-caution": "use with caution",
    "clinical-judgement": "decide by clinical judgement",
    "weigh-risk-benefit": "weigh benefit against risk",
    "avoid-interacting-drugs": "avoid interacting drugs",
    "see-algorithm": "set the dose with a genotype-based algorithm",
    "see-label": "follow the product label",
    "standard-dosing": "usual dose",
    "no-action-needed": "no change needed because of this result",
    "no-recommendation": "no recommendation for this result",
}
_AGAINST = frozenset({"contraindicated", "avoid", "use-alternative"})
_OTHER_DRUG = ("use-alternative", "consider-alternative")
_OR_ELSE = ("clinical-judgement", "use-with-caution", "weigh-risk-benefit")
"""Actions that stand beside advice against the drug as another choice, not as a condition of using it."""
_DIRECTIONS = ("decrease-dose", "increase-dose")
_ANYWAY = "if it is used anyway: "
_SAID = frozenset({"if used anyway"})
"""Bases of doses that the sentence around them says already."""


def text(rule: Rule) -> str:
    """One to a few sentences: what to do, doses, alternatives, and the conditions under which it holds."""
    return " ".join(part[0].upper() + part[1:] + "." for part in _parts(rule) if part)


def _parts(rule: Rule) -> Iterator[str]:
    against = [action for action in rule.actions if action in _AGAINST]
    if not against:
        yield "; ".join(_phrases(rule, rule.actions))
    elif rule.actions[0] in _AGAINST:
        yield from _against_the_drug(rule, against)
    else:
        others = [action for action in rule.actions if action not in _AGAINST]
        yield "; ".join(_phrases(rule, others))
        yield "in some of these cases: " + "; ".join(_phrases(rule, against, doses=False))
    if rule.notes:
        yield "note: " + "; ".join(rule.notes)


def _against_the_drug(rule: Rule, against: list[str]) -> Iterator[str]:
    first = [*against, *(action for action in rule.actions if action == "consider-alternative")]
    choices = [action for action in rule.actions if action in _OR_ELSE]
    main = "; ".join(_phrases(rule, first, doses=False))
    yield ", or ".join([main, *(_PHRASES[action] for action in choices)])
    if "no-recommendation" in rule.actions:
        yield "this holds for some of these cases; for the others there is no recommendation"
    rest = [a for a in rule.actions if a not in (*first, *choices, "no-recommendation")]
    if phrases := list(_phrases(rule, rest)):
        yield _ANYWAY + "; ".join(phrases)


def _phrases(rule: Rule, actions: Iterable[str], *, doses: bool = True) -> Iterator[str]:
    """One phrase for each action, with alternatives and figures where they belong."""
    actions = list(actions)
    figures = _Figures(rule) if doses else None
    for action in actions:
        phrase = _PHRASES[action]
        if action in _OTHER_DRUG and action == next(a for a in _OTHER_DRUG if a in rule.actions):
            yield phrase + (f": {_joined(rule.alternatives)}" if rule.alternatives else "")
        elif action == "standard-dosing" and {*_DIRECTIONS, "slower-titration"} & set(actions):
            yield "start with the usual dose"
        elif action in _DIRECTIONS and "standard-dosing" in actions:
            yield f"then, if needed, {figures.of(action, phrase) if figures else phrase}"
        else:
            yield figures.of(action, phrase) if figures else phrase
    if figures:
        yield from figures.rest()
        if rule.alternatives and not set(_OTHER_DRUG) & set(rule.actions):
            yield f"possible alternative: {_joined(rule.alternatives)}"


class _Figures:
    """The doses of a rule, each said once: with the action that it belongs to, or at the end."""

    def __init__(self, rule: Rule) -> None:
        self._changes = list(rule.dose_change)
        self._fixed = list(rule.dose_fixed)
        self._limits = list(rule.dose_limit)

    def of(self, action: str, phrase: str) -> str:
        """The phrase of an action with its figures."""
        figures: list[str] = []
        if action in (*_DIRECTIONS, "limit-dose"):
            mine = [change for change in self._changes if (change.factor_low > 1) == (action == "increase-dose")]
            self._changes = [change for change in self._changes if change not in mine]
            figures += map(_change, mine)
        if action == "limit-dose":
            figures += map(_limit, self._limits)
            self._limits = []
        return f"{phrase}{' to ' if action in _DIRECTIONS else ': '}{', '.join(figures)}" if figures else phrase

    def rest(self) -> Iterator[str]:
        if self._changes:
            yield "dose: " + ", ".join(map(_change, self._changes))
        if self._fixed:
            yield "dose: " + ", ".join(map(_fixed, self._fixed))
        if self._limits:
            yield "dose: " + ", ".join(map(_limit, self._limits))


def _change(change: DoseChange) -> str:
    low, high = change.factor_low, change.factor_high
    if low > 1:
        return f"{_span(low, high, _number)} times the usual" + _basis(change.basis)
    return f"{_span(low, high, _percent)} % of the usual" + _basis(change.basis)


def _percent(factor: float) -> str:
    return _number(round(factor * 100, 1))


def _span(low: float, high: float | None, written: Callable[[float], str]) -> str:
    if high is None:
        return f"at least {written(low)}"
    return written(low) if high == low else f"{written(low)} to {written(high)}"


def _fixed(dose: DoseFixed) -> str:
    if dose.dose is not None:
        figure = _number(dose.dose)
    elif dose.dose_low is not None:
        figure = _span(dose.dose_low, dose.dose_high, _number)
    else:
        figure = f"at most {_number(dose.dose_high or 0)}"
    return f"{figure} {dose.unit}" + _basis(dose.basis)


def _limit(limit: DoseLimit) -> str:
    return f"{'below' if limit.strict else 'at most'} {_number(limit.max)} {limit.unit}" + _basis(limit.basis)


def _basis(basis: str) -> str:
    return "" if basis in _SAID else f" ({basis})"


def _number(value: float) -> str:
    return f"{value:g}"


def _joined(names: tuple[str, ...]) -> str:
    """``a, b or c``; names that hold a comma are set apart by semicolons."""
    if len(names) == 1:
        return names[0]
    separator = "; " if any("," in name for name in names) else ", "
    return f"{separator.join(names[:-1])} or {names[-1]}"
