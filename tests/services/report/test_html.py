"""The page that is printed or kept: self-contained, accessible, and safe with any text in it."""

from html.parser import HTMLParser
from itertools import pairwise

from services.report import html
from tests.services.report.patients import note, state
from tests.services.report.test_text import PATIENT
from tests.support.calls import matched, reported

VOID = {"meta", "br"}


class Page(HTMLParser):
    """The page's elements; fails on tags that are not closed in order."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.feed(page)
        self.close()
        assert self.open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def all(self, tag: str) -> list[dict[str, str | None]]:
        return [attrs for name, attrs in self.elements if name == tag]


def test_the_page_loads_nothing_and_runs_nothing() -> None:
    page = Page(html.render(PATIENT))
    assert not {"script", "link", "img", "iframe", "object"} & {tag for tag, _ in page.elements}
    assert "url(" not in html.render(PATIENT)
    assert "@import" not in html.render(PATIENT)


def test_every_link_on_the_page_leads_somewhere_once() -> None:
    page = Page(html.render(PATIENT))
    ids = [attrs["id"] for _, attrs in page.elements if "id" in attrs]
    assert len(ids) == len(set(ids))
    targets = [href for attrs in page.all("a") if (href := attrs["href"] or "").startswith("#")]
    assert {target.removeprefix("#") for target in targets} <= set(ids)


def test_the_page_can_be_heard_as_well_as_seen() -> None:
    page = Page(html.render(PATIENT))
    assert page.all("html") == [{"lang": "en"}]
    assert len(page.all("h1")) == len(page.all("main")) == len(page.all("title")) == 1
    assert len(page.all("caption")) == len(page.all("table"))
    assert all(attrs.get("scope") in ("col", "row") for attrs in page.all("th"))
    levels = [int(tag[1]) for tag, _ in page.elements if tag in ("h1", "h2", "h3", "h4")]
    assert all(after - before <= 1 for before, after in pairwise(levels))


def test_importance_is_said_in_words_not_in_colour() -> None:
    page = html.render(PATIENT)
    assert '<span class="mark priority">Avoid or replace</span>' in page
    assert '<span class="mark">Sources differ</span>' in page


def test_any_text_is_shown_as_text() -> None:
    nasty = '<script>alert("x")</script>'
    page = html.render(
        state(
            reported("CYP2C19", phenotype=nasty),
            matched("CYP2C9", f"*1/{nasty}"),
            results=(note(nasty),),
            patient=nasty,
        )
    )
    assert "<script" not in page
    assert "&lt;script&gt;" in page
    Page(page)


def test_drugs_with_the_same_advice_share_a_row_of_the_first_table() -> None:
    page = html.render(state(matched("RYR1", "c.7300G>A/c.7300G>A")))
    first = page.split("What matters first")[1].split("</table>")[0]
    assert first.count("<tr") == 1 + first.count('<tr class="p1"')
    (row,) = [row for row in first.split("<tr") if "#drug-isoflurane" in row]
    assert "#drug-sevoflurane" in row
    assert "#drug-halothane" not in row or row.count("Contraindicated") == 1


def test_without_anything_pressing_the_page_says_so() -> None:
    assert "No drug to avoid and no dose to change by these results." in html.render(state(matched("CYP2C9", "*1/*1")))


def test_the_same_state_gives_the_same_page() -> None:
    assert html.render(PATIENT) == html.render(PATIENT)


def test_an_inherited_condition_is_told_with_care_limits_and_references() -> None:
    page = html.render(state(matched("MT-RNR1", "m.1555A>G"), matched("CACNA1S", "Reference/Reference")))
    section = page.split("<h2>Inherited conditions</h2>")[1].split("<h2>")[0]
    assert "Aminoglycoside-induced hearing loss" in section
    assert "<li>Avoid aminoglycosides unless" in section
    assert "Carriers with normal hearing exist" in section
    assert section.count('href="#ref-') == 2
    assert "does not rule them out: Malignant hyperthermia susceptibility (CACNA1S)." in section
