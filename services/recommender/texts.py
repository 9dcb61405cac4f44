"""Our own short wording of a rule, composed from its structured facts. The same rule always gives the same text."""

from collections.abc import Iterable, Iterator

from knowledge.model import DoseChange, DoseFixed, DoseLimit, Rule

_INSTEAD = frozenset({"avoid", "contraindicated", "use-alternative"})
"""Actions beside which a dose holds only where the drug is used all the same."""

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
_DIRECTION = {"decrease-dose", "increase-dose"}
_USUAL = "standard-dosing"


def text(rule: Rule) -> str:
    """One to a few sentences: what to do, doses, alternatives, and the conditions under which it holds."""
    return " ".join(_sentence(part) for part in _parts(rule) if part)


def _parts(rule: Rule) -> Iterator[str]:
    instead = [action for action in rule.actions if action in _INSTEAD]
    others = [action for action in rule.actions if action not in _INSTEAD]
    if instead:
        yield "; ".join(_instead(instead, rule))
    phrases = [*_actions(others, rule), *_doses(rule)]
    if phrases:
        conditional = bool(instead) and (bool(_doses(rule)) or bool(_DIRECTION & set(others)))
        yield ("if it is used anyway: " if conditional else "") + "; ".join(phrases)
    if rule.notes:
        yield "note: " + "; ".join(rule.notes)


def _instead(actions: Iterable[str], rule: Rule) -> Iterator[str]:
    for action in actions:
        yield _with_alternatives(action, rule) if action == "use-alternative" else _PHRASES[action]


def _with_alternatives(action: str, rule: Rule) -> str:
    return _PHRASES[action] + (f": {_joined(rule.alternatives)}" if rule.alternatives else "")


def _actions(actions: list[str], rule: Rule) -> Iterator[str]:
    named = "use-alternative" in rule.actions
    for action in actions:
        if action in _DIRECTION and _says(rule.dose_change, action):
            continue
        if action == "limit-dose" and rule.dose_limit:
            continue
        if action == "consider-alternative" and not named:
            yield _with_alternatives(action, rule)
        elif action == _USUAL and len(actions) > 1 and set(actions) & (_DIRECTION | {"slower-titration"}):
            yield "start with the usual dose"
        else:
            yield _PHRASES[action]
    if rule.alternatives and not named and "consider-alternative" not in rule.actions:
        yield f"possible alternative: {_joined(rule.alternatives)}"


def _says(changes: Iterable[DoseChange], action: str) -> bool:
    """Whether a dose factor already says in which direction the dose changes."""
    up = action == "increase-dose"
    return any((change.factor_low > 1) == up for change in changes)


def _doses(rule: Rule) -> list[str]:
    changes = [_change(change) for change in rule.dose_change]
    return changes + [_fixed(dose) for dose in rule.dose_fixed] + [_limit(limit) for limit in rule.dose_limit]


def _change(change: DoseChange) -> str:
    if change.factor_low > 1:
        factor = _number(change.factor_low)
        if change.factor_high is None:
            return f"{change.basis}: at least {factor} times the usual"
        span = factor if change.factor_high == change.factor_low else f"{factor} to {_number(change.factor_high)}"
        return f"{change.basis}: {span} times the usual"
    low, high = _percent(change.factor_low), change.factor_high
    if high is None:
        return f"{change.basis}: at least {low} % of the usual"
    return f"{change.basis}: {low if high == change.factor_low else f'{low} to {_percent(high)}'} % of the usual"


def _fixed(dose: DoseFixed) -> str:
    if dose.dose is not None:
        return f"{dose.basis}: {_number(dose.dose)} {dose.unit}"
    if dose.dose_low is not None and dose.dose_high is not None:
        return f"{dose.basis}: {_number(dose.dose_low)} to {_number(dose.dose_high)} {dose.unit}"
    if dose.dose_low is not None:
        return f"{dose.basis}: at least {_number(dose.dose_low)} {dose.unit}"
    return f"{dose.basis}: {_number(dose.dose_high or 0)} {dose.unit} at most"


def _limit(limit: DoseLimit) -> str:
    return f"{limit.basis}: {'below' if limit.strict else 'at most'} {_number(limit.max)} {limit.unit}"


def _percent(factor: float) -> str:
    return _number(round(factor * 100, 1))


def _number(value: float) -> str:
    return f"{value:g}"


def _joined(names: tuple[str, ...]) -> str:
    """``a, b or c``; names that hold a comma are set apart by semicolons."""
    if len(names) == 1:
        return names[0]
    separator = "; " if any("," in name for name in names) else ", "
    return f"{separator.join(names[:-1])} or {names[-1]}"


def _sentence(part: str) -> str:
    return part[0].upper() + part[1:] + "."
