"""An explanation as one self-contained page: the picture, and below it everything as text."""

from html import escape

from schemas.explanation import Explanation
from services.report import explanation_svg, explanation_text

_STYLE = (
    "body { margin: 1rem; color: #1a1a1a; background: #fff; } svg { max-width: 100%; height: auto; }"
    " pre { white-space: pre-wrap; max-width: 60rem; font: 13px/1.4 ui-monospace, Consolas, monospace; }"
)


def render(explanation: Explanation) -> str:
    """The whole page. Every text of the explanation is escaped."""
    title = f"{explanation.drug}, patient {explanation.patient}"
    return (
        f'<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n<title>{escape(title)}</title>\n'
        f"<style>{_STYLE}</style>\n</head>\n<body>\n{explanation_svg.render(explanation)}"
        f"<pre>{escape(explanation_text.render(explanation))}</pre>\n</body>\n</html>\n"
    )
