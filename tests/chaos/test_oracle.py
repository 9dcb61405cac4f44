"""The oracle sees every kind of loss, doubling and difference. No services here: made-up runs."""

import hashlib
from collections.abc import Callable
from dataclasses import replace

import pytest

from schemas.topics import CLINICAL_CONTEXT
from tests.chaos.oracle import Bug, Letter, Observed, Published, judge
from tests.chaos.workload import Input

A, B = ("/lab", "a"), ("/lab", "b")
INPUTS = [
    Input(0, b"mercy/p-1", b"first", (), A),
    Input(1, b"mercy/p-1", b"second", (), B),
    Input(2, b"mercy/p-1", b"first", (), A),
    Input(3, b"mercy/p-1", b"rubbish", (), None),
]
EVENTS = [Published("mercy/p-1", 1, "r1", b"one"), Published("mercy/p-1", 2, "r2", b"two")]


def sha256(value: bytes) -> str:
    return hashlib.sha256(value).hexdigest()


def a_run() -> Observed:
    """Two events, one of them published twice, and a dead letter; everything delivered again at some time."""
    return Observed(
        on_topic={("lab", 0, 0): 0, ("lab", 0, 1): 1, ("lab", 0, 2): 2, ("lab", 0, 3): 3},
        applied=[A, B],
        results=[("mercy", "p-1", "A-1"), ("mercy", "p-1", "A-2")],
        history=[("mercy/p-1", 1, "a", sha256(b"one")), ("mercy/p-1", 2, "b", sha256(b"two"))],
        letters=[Letter(("lab", 0, 3), "genotyper", "not-json", 3)],
        published=[*EVENTS, *EVENTS],
        dump=[b"state", b"result"],
    )


def test_a_run_in_which_everything_came_once_or_again_is_clean() -> None:
    assert judge(INPUTS, a_run(), a_run()).clean


LOSSES: dict[str, Callable[[Observed], object]] = {
    "an event without effect": lambda run: run.applied.remove(B),
    "a message that never reached the topic": lambda run: run.on_topic.pop(("lab", 0, 1)),
    "rubbish without its dead letter": lambda run: run.letters.clear(),
    "a stored event that was not published": lambda run: run.published.__setitem__(slice(None), EVENTS[:1]),
    "an event left in the outbox": lambda run: setattr(run, "unsent", 1),
    "events out of order, of which a subscriber drops one": lambda run: run.published.reverse(),
}
DOUBLINGS: dict[str, Callable[[Observed], object]] = {
    "an effect twice": lambda run: run.applied.append(A),
    "a result accepted twice": lambda run: run.results.append(run.results[0]),
    "an event that nobody published": lambda run: run.applied.append(("/lab", "c")),
    "a dead letter for what is good": lambda run: run.letters.append(Letter(("lab", 0, 1), "genotyper", "not-json", 1)),
    "two different events with one sequence": lambda run: run.published.append(replace(EVENTS[0], value=b"other")),
    "an event published that is not stored": lambda run: run.published.append(Published("mercy/p-1", 3, "r3", b"x")),
    "an event published as the store does not have it": lambda run: run.history.__setitem__(
        0, ("mercy/p-1", 1, "a", sha256(b"other"))
    ),
}
DIFFERENCES: dict[str, Callable[[Observed], object]] = {
    "a line of the store": lambda run: run.dump.__setitem__(0, b"other"),
    "a line too few": lambda run: run.dump.pop(),
    "another dead letter": lambda run: run.letters.__setitem__(0, Letter(("lab", 0, 3), "genotyper", "too-deep", 3)),
    "another id of an event": lambda run: run.published.__setitem__(
        slice(None), [EVENTS[0], replace(EVENTS[1], id="r9")]
    ),
}


@pytest.mark.parametrize("what", LOSSES)
def test_a_loss_is_seen(what: str) -> None:
    run = a_run()
    LOSSES[what](run)
    assert judge(INPUTS, run, None).lost


@pytest.mark.parametrize("what", DOUBLINGS)
def test_a_doubling_is_seen(what: str) -> None:
    run = a_run()
    DOUBLINGS[what](run)
    assert judge(INPUTS, run, None).doubled


@pytest.mark.parametrize("what", DIFFERENCES)
def test_a_difference_from_the_run_without_faults_is_seen(what: str) -> None:
    run = a_run()
    DIFFERENCES[what](run)
    assert judge(INPUTS, run, a_run()).different


def test_of_a_patient_of_whom_two_topics_speak_only_what_is_current_must_be_the_same() -> None:
    stated = [Input(0, b"mercy/c-1", b"result", (), A), Input(1, b"mercy/c-1", b"statement", (), B, CLINICAL_CONTEXT)]
    run, other = (
        Observed(
            on_topic={("lab", 0, 0): 0, ("context", 0, 0): 1},
            applied=[A, B],
            history=[("mercy/c-1", 1, cause, sha256(value))],
            published=[Published("mercy/c-1", 1, cause, value)],
            dump=[b"current"],
        )
        for cause, value in (("a", b"one"), ("b", b"two"))
    )
    assert judge(stated, run, other).clean
    run.dump[0] = b"other"
    assert judge(stated, run, other).different
    run.published.clear()
    assert judge(stated, run, other).lost, "what the store says was published must have been"


def test_what_the_domain_code_fails_for_must_be_a_dead_letter_and_nothing_else() -> None:
    run = a_run()
    run.applied.remove(B)
    run.history.pop()
    run.published[:] = EVENTS[:1]
    for stage in ("genotyper", "recommender"):
        bug = Bug(stage, "second")
        assert judge(INPUTS, run, None, bug).lost, "no dead letter came for it"
        letter = Letter(("lab", 0, 1), stage, "internal-error", 1, None if stage == "genotyper" else B)
        run.letters.append(letter)
        assert judge(INPUTS, run, None, bug).clean
        run.letters.remove(letter)
