"""Telling a pseudonym from a name, a date of birth or a national number."""


def looks_personal(patient: str) -> str | None:
    """What the identifier looks like (``a name``, ``a date of birth``, ``a national number``), or None for a pseudonym."""
    return None
