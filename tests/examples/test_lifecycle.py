"""The patient that the documentation follows over the years is told what the code says now."""

from examples import make_lifecycle as lifecycle


def test_the_page_is_up_to_date() -> None:
    """After a change: ``python -m examples.make_lifecycle``, then read the difference."""
    assert lifecycle.PAGE.read_text(encoding="utf-8") == lifecycle.document()


def test_every_step_but_the_first_release_is_heard_of() -> None:
    events = {step.title: event for step, event, _ in lifecycle.history()}
    assert [title for title, event in events.items() if event is None] == ["Release 2025.11 governs"]
    sequences = [event.sequence for event in events.values() if event is not None]
    assert sequences == list(range(1, len(sequences) + 1))
    assert {one.release for one in (event.knowledge for event in events.values() if event)} == {"2025.11", "2026.11"}
