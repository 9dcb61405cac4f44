"""The worked patients of the documentation are what the code answers now."""

from examples import make_worked_patients as worked


def test_the_page_is_up_to_date() -> None:
    """After a change: ``python -m examples.make_worked_patients``, then read the difference as a clinician would."""
    assert worked.PAGE.read_text(encoding="utf-8") == worked.document()


def test_every_worked_patient_has_advice_on_the_drugs_in_question() -> None:
    for case in worked.CASES:
        answer = worked.evaluated(case, worked.RELEASE)
        advised = {one["drug"] for one in answer["recommendations"]}
        advised |= {one["drug"] for one in answer.get("dose_estimates", ())}
        assert advised >= set(case.drugs), case.title
