"""Identifiers on the bus: their characters, and what must never be one.

Patients are pseudonyms. ``check_patient`` refuses what looks like a name, a date of birth or a national number.
"""

import re
from typing import Annotated, Any

from pydantic import StringConstraints

from schemas.errors import Code, Rejected
from schemas.pseudonym import looks_personal

MAX_LENGTH = 128
PATTERN = r"^[A-Za-z0-9._:#-]{1,128}$"

Identifier = Annotated[str, StringConstraints(pattern=PATTERN)]
"""Tenant, patient, accession and laboratory. The characters exclude ``/``, so that keys stay unambiguous."""

_IDENTIFIER = re.compile(r"[A-Za-z0-9._:#-]{1,128}")


def check(value: Any, path: str) -> str:
    """The identifier, or Rejected(INVALID_FIELD)."""
    if type(value) is not str or _IDENTIFIER.fullmatch(value) is None:
        raise Rejected(
            Code.INVALID_FIELD,
            f"expected a text of 1 to {MAX_LENGTH} characters out of A-Z a-z 0-9 . _ : # -",
            path,
        )
    return value


def check_patient(value: Any, path: str = "patient") -> str:
    """The pseudonym, or Rejected(UNSAFE_IDENTIFIER) that says which kind of thing it looks like, never what it says."""
    patient = check(value, path)
    if kind := looks_personal(patient):
        raise Rejected(
            Code.UNSAFE_IDENTIFIER, f"the patient looks like {kind}; expected a pseudonym, such as p-7f3a91", path
        )
    return patient
