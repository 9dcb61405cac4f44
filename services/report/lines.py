"""Lines of plain text: headings, wrapped paragraphs, and nothing that a terminal would obey."""

import textwrap

NARROWEST = 60
"""Characters; nothing is wrapped to less."""
_INDENT = "  "


def printable(line: str) -> str:
    """The line without control characters, which may stand in what laboratories write."""
    return "".join(character if character.isprintable() else " " for character in line)


def heading(text: str) -> list[str]:
    """A heading with the empty line before it."""
    return ["", text.upper(), "-" * len(text)]


def wrapped(text: str, width: int, depth: int = 0, hanging: int | None = None) -> list[str]:
    """A paragraph, indented by ``depth`` steps; further lines by ``hanging`` more, two below the outermost depth."""
    first = _INDENT * depth
    more = _INDENT * (depth + (2 if hanging is None and depth else hanging or 0))
    return textwrap.wrap(
        text, width, initial_indent=first, subsequent_indent=more, break_long_words=False, break_on_hyphens=False
    )
