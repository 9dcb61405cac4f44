"""What a clinician must see first."""

from collections.abc import Iterable
from enum import IntEnum


class Priority(IntEnum):
    """Order of advice, the same everywhere."""

    AVOID = 1
    """Contraindicated, avoid, or use another drug."""
    CHANGE_DOSE = 2
    """Another dose or titration, or consider another drug."""
    TAKE_CARE = 3
    """Monitor, measure, weigh, or dose by an algorithm."""
    NOTHING_TO_CHANGE = 4
    """The usual dose, or no advice for this result."""


_OF_ACTION = {
    "contraindicated": Priority.AVOID,
    "avoid": Priority.AVOID,
    "use-alternative": Priority.AVOID,
    "decrease-dose": Priority.CHANGE_DOSE,
    "increase-dose": Priority.CHANGE_DOSE,
    "limit-dose": Priority.CHANGE_DOSE,
    "slower-titration": Priority.CHANGE_DOSE,
    "consider-alternative": Priority.CHANGE_DOSE,
    "therapeutic-drug-monitoring": Priority.TAKE_CARE,
    "extra-monitoring": Priority.TAKE_CARE,
    "test-enzyme-activity": Priority.TAKE_CARE,
    "use-with-caution": Priority.TAKE_CARE,
    "clinical-judgement": Priority.TAKE_CARE,
    "weigh-risk-benefit": Priority.TAKE_CARE,
    "avoid-interacting-drugs": Priority.TAKE_CARE,
    "see-algorithm": Priority.TAKE_CARE,
    "see-label": Priority.TAKE_CARE,
    "standard-dosing": Priority.NOTHING_TO_CHANGE,
    "no-action-needed": Priority.NOTHING_TO_CHANGE,
    "no-recommendation": Priority.NOTHING_TO_CHANGE,
}

ACTIONS = frozenset(_OF_ACTION)
"""The vocabulary of actions in a release."""


def of(actions: Iterable[str]) -> Priority:
    """The priority of the weightiest action. Raises KeyError for an action outside the vocabulary."""
    return min((_OF_ACTION[action] for action in actions), default=Priority.NOTHING_TO_CHANGE)
