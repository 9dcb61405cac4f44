"""Guideline rows and doses in short clinical words, our own."""

import re
from collections.abc import Iterable

from knowledge.model import DoseChange, DoseFixed, DoseLimit, Gene, Rule


def keys(rule: Rule) -> str:
    """``CYP2C19 Poor Metabolizer, CYP2D6 1.0 or 1.25``."""
    between = " or " if rule.any_gene else ", "
    return between.join(f"{gene} {' or '.join(row)}" for gene, row in rule.genes.items())


def advice(rule: Rule) -> str:
    """What the row says to do: actions, doses, alternatives and strength."""
    parts = [", ".join(rule.actions)]
    parts += [dose_change(dose) for dose in rule.dose_change]
    parts += [dose_fixed(dose) for dose in rule.dose_fixed]
    parts += [dose_limit(dose) for dose in rule.dose_limit]
    if rule.alternatives:
        parts.append(f"alternatives: {', '.join(rule.alternatives)}")
    strength = "" if rule.strength == "none" else f" ({rule.strength})"
    return "; ".join(parts) + strength


def dose_change(dose: DoseChange) -> str:
    """``25 to 50 % of the starting dose``: percentages of the usual dose of that kind."""
    low, high = _percent(dose.factor_low), None if dose.factor_high is None else _percent(dose.factor_high)
    if high is None:
        return f"at least {low} % ({dose.basis})"
    return f"{low} % ({dose.basis})" if low == high else f"{low} to {high} % ({dose.basis})"


def dose_fixed(dose: DoseFixed) -> str:
    if dose.dose is not None:
        amount = _number(dose.dose)
    elif dose.dose_low is None:
        amount = f"up to {_number(dose.dose_high or 0)}"
    elif dose.dose_high is None:
        amount = f"at least {_number(dose.dose_low)}"
    else:
        amount = f"{_number(dose.dose_low)} to {_number(dose.dose_high)}"
    return f"{amount} {dose.unit} ({dose.basis})"


def dose_limit(dose: DoseLimit) -> str:
    return f"{'below' if dose.strict else 'at most'} {_number(dose.max)} {dose.unit} ({dose.basis})"


def shared_words(ours: str, theirs: str, length: int = 7) -> str | None:
    """The first ``length`` consecutive words of ``ours`` that also stand in ``theirs``: a sentence that was copied."""
    words, other = _words(ours), _words(theirs)
    known = {tuple(other[i : i + length]) for i in range(len(other) - length + 1)}
    runs = (words[i : i + length] for i in range(len(words) - length + 1))
    return next((" ".join(run) for run in runs if tuple(run) in known), None)


def sentences(rule: Rule) -> Iterable[str]:
    """The row's texts in our own wording."""
    yield from rule.notes
    yield from rule.alternatives
    if rule.implication:
        yield rule.implication


def size(gene: Gene) -> str:
    """``36 alleles at 35 positions``."""
    d = gene.definition
    return f"{count(len(d.alleles), 'allele')} at {count(len(d.positions), 'position')}"


def count(number: int, what: str) -> str:
    """``1 position``, ``2 positions``."""
    return f"{number} {what}" if number == 1 else f"{number} {what}s"


def _percent(factor: float) -> str:
    return _number(round(factor * 100, 2))


def _number(value: float) -> str:
    return f"{value:g}"


def _words(text: str) -> list[str]:
    return re.findall(r"[\w*≥./-]+", text.lower())
