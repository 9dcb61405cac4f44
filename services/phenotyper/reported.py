"""What laboratories write about a gene, in the words of the tables."""

import re

_METABOLISER = re.compile(r"metaboli[sz]ers?", re.IGNORECASE)
_ABBREVIATIONS = {
    "pm": "Poor Metabolizer",
    "im": "Intermediate Metabolizer",
    "nm": "Normal Metabolizer",
    "em": "Normal Metabolizer",
    "um": "Ultrarapid Metabolizer",
}
_NAMES = ("Normal Metabolizer", "Intermediate Metabolizer", "Poor Metabolizer", "Ultrarapid Metabolizer")
_PREFIXES = ("Likely", "Possible")
INDETERMINATE = "Indeterminate"


def phenotype(gene: str, text: str | None) -> str | None:
    """A reported phenotype in the tables' spelling; None where nothing is said.

    ``nm``, ``Extensive metaboliser`` and ``CYP2C9 Normal Metabolizer`` (for CYP2C9) are ``Normal Metabolizer``. A text
    that is none of the metabolizer phenotypes stays as it is.
    """
    if text is None:
        return None
    words = _METABOLISER.sub("Metabolizer", " ".join(text.replace(gene, " ").split()))
    if not words:
        return None
    if words.lower() in _ABBREVIATIONS:
        return _ABBREVIATIONS[words.lower()]
    lowered = words.lower().replace("extensive", "normal")
    if INDETERMINATE.lower() in lowered:
        return INDETERMINATE
    name = next((name for name in _NAMES if name.lower() in lowered), None)
    if name is None:
        return words
    prefix = next((prefix for prefix in _PREFIXES if lowered.startswith(prefix.lower())), None)
    return f"{prefix} {name}" if prefix else name
