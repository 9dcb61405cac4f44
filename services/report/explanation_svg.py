"""An explanation as one self-contained SVG picture, readable in black and white and by a screen reader."""

import textwrap
from collections.abc import Sequence
from dataclasses import dataclass
from html import escape
from urllib.parse import urlsplit

from schemas.explanation import Explanation
from services.report.explanation_graph import COLUMNS, Box, boxes
from services.report.lines import printable

_WIDTH, _GAP, _MARGIN, _TOP = 240, 38, 20, 92
_LINE, _PADDING, _BETWEEN, _CHARACTERS, _OF_TITLE = 15, 8, 14, 31, 27
_LEGEND = (
    "Each box follows from those to its right that it is joined to. Dashed: less sure or incomplete. "
    "Thick: a drug to avoid or replace, or a dose to change."
)
_STYLE = """
text { font: 12px system-ui, "Segoe UI", Roboto, "Liberation Sans", Arial, sans-serif; fill: #1a1a1a; }
.head { font-size: 18px; font-weight: 600; } .sub { fill: #4d4d4d; } .column { font-weight: 600; fill: #4d4d4d; }
.title { font-weight: 600; } rect { fill: #fff; stroke: #1a1a1a; } .doubtful rect { stroke-dasharray: 5 3; }
.p1 rect { stroke-width: 3; } .p2 rect { stroke-width: 2; } path { fill: none; stroke: #8a8a8a; stroke-width: 1.3; }
a text { fill: #0b4f8a; text-decoration: underline; }
""".strip()


@dataclass(frozen=True, slots=True)
class _Placed:
    box: Box
    title: tuple[str, ...]
    lines: tuple[str, ...]
    x: int
    y: int

    @property
    def height(self) -> int:
        return _LINE * (len(self.title) + len(self.lines)) + 2 * _PADDING

    @property
    def middle(self) -> int:
        return self.y + self.height // 2


def render(explanation: Explanation) -> str:
    """The picture. Every text of the explanation is escaped."""
    placed = _placed(boxes(explanation))
    width = 2 * _MARGIN + len(COLUMNS) * _WIDTH + (len(COLUMNS) - 1) * _GAP
    height = max((one.y + one.height for one in placed), default=_TOP) + 46
    e = explanation
    title = f"Why {e.drug}, patient {e.patient}"
    under = (
        f"tenant {e.tenant}, state {e.sequence}, knowledge release {e.knowledge.release} ({e.knowledge.sha256[:12]})"
    )
    columns = "\n".join(
        f'<text class="column" x="{_x(number)}" y="{_TOP - 12}">{escape(name)}</text>'
        for number, name in enumerate(COLUMNS)
    )
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" width="{width}" height="{height}" '
        f'role="img" aria-labelledby="why what">\n<title id="why">{_text(title)}</title>\n'
        f'<desc id="what">{_text(_described(explanation))}</desc>\n<style>{_STYLE}</style>\n'
        f'<rect x="0" y="0" width="{width}" height="{height}" style="stroke: none"/>\n'
        f'<text class="head" x="{_MARGIN}" y="32">{_text(title)}</text>\n'
        f'<text class="sub" x="{_MARGIN}" y="52">{_text(under)}</text>\n{columns}\n'
        f"{_edges(placed)}\n{''.join(map(_box, placed))}"
        f'<text class="sub" x="{_MARGIN}" y="{height - 16}">{_LEGEND}</text>\n</svg>\n'
    )


def _placed(found: Sequence[Box]) -> list[_Placed]:
    """Boxes stacked in their columns; one that follows from others starts no higher than needed to stay beside them."""
    placed: list[_Placed] = []
    free = [_TOP] * len(COLUMNS)
    for box in found:
        title = tuple(textwrap.wrap(printable(box.title), _OF_TITLE)) or ("",)
        lines = tuple(piece for line in box.lines for piece in textwrap.wrap(printable(line), _CHARACTERS))
        before = [one.y for one in placed if box.id in one.box.because]
        y = max(free[box.column], min(before, default=_TOP))
        one = _Placed(box, title, lines, _x(box.column), y)
        free[box.column] = y + one.height + _BETWEEN
        placed.append(one)
    return placed


def _x(column: int) -> int:
    return _MARGIN + column * (_WIDTH + _GAP)


def _edges(placed: Sequence[_Placed]) -> str:
    by_id = {one.box.id: one for one in placed}
    paths = []
    for one in placed:
        for target in (by_id[reason] for reason in one.box.because if reason in by_id):
            start, end = one.x + _WIDTH, target.x
            half = (start + end) // 2
            paths.append(
                f'<path d="M{start} {one.middle} C{half} {one.middle} {half} {target.middle} {end} {target.middle}"/>'
            )
    return "\n".join(paths)


def _box(one: _Placed) -> str:
    classes = " ".join(["doubtful"] * one.box.doubtful + ([f"p{one.box.priority}"] if one.box.priority else []))
    titles = "".join(_line(one, number, text, "title") for number, text in enumerate(one.title))
    if one.box.link and urlsplit(one.box.link).scheme in ("http", "https"):
        titles = f'<a href="{escape(one.box.link)}">{titles}</a>'
    lines = "".join(_line(one, len(one.title) + number, text) for number, text in enumerate(one.lines))
    return (
        f'<g class="{classes}"><rect x="{one.x}" y="{one.y}" width="{_WIDTH}" height="{one.height}" rx="4"/>'
        f"{titles}{lines}</g>\n"
    )


def _line(one: _Placed, number: int, text: str, kind: str = "") -> str:
    named = f' class="{kind}"' if kind else ""
    y = one.y + _PADDING + 11 + number * _LINE
    return f'<text{named} x="{one.x + _PADDING}" y="{y}">{escape(text)}</text>'


def _text(text: str) -> str:
    return escape(printable(text))


def _described(e: Explanation) -> str:
    said = "; ".join(f"{trace.recommendation.source}: {trace.recommendation.text}" for trace in e.advice)
    return said or f"no advice on {e.drug}"
