"""Rejection as part of the domain: one exception, one enumeration of codes.

A code is stable: operators filter dead letters by it and laboratories script against it.
"""

from enum import StrEnum


class Code(StrEnum):
    """Why an input cannot be processed as a whole. The text beside each value is its documentation."""

    NOT_JSON = "not-json", "the value is not JSON (or not UTF-8, or contains NaN or Infinity)"
    EMPTY_VALUE = "empty-value", "the message has no value"
    TOO_LARGE = "too-large", "the value is over the size limit of its topic"
    TOO_DEEP = "too-deep", "the value is nested deeper than 16 levels"
    INVALID_FIELD = "invalid-field", "a field is missing, of the wrong type or outside its range"
    INVALID_GENOTYPE = "invalid-genotype", "a genotype does not parse or names an allele that the row does not list"
    UNSAFE_IDENTIFIER = "unsafe-identifier", "the patient looks like a name, a date of birth or a national number"
    WRONG_ASSEMBLY = "wrong-assembly", "the positions are not on GRCh38"
    UNKNOWN_MAJOR_VERSION = (
        "unknown-major-version",
        "the event type names a major version that this software does not know",
    )
    INVALID_ENVELOPE = "invalid-envelope", "the CloudEvents attributes are incomplete or contradict each other"
    KEY_MISMATCH = "key-mismatch", "the message key differs from tenant/patient of the content"
    UNKNOWN_RELEASE = "unknown-release", "the event names a knowledge release that is not installed here"
    OUTPUT_TOO_LARGE = "output-too-large", "the derived event would be over the size limit"
    INTERNAL_ERROR = "internal-error", "the domain code failed twice on this event; retry it after the fix"

    description: str

    def __new__(cls, value: str, description: str) -> "Code":
        member = str.__new__(cls, value)
        member._value_ = value
        member.description = description
        return member


class Rejected(Exception):
    """An input that cannot be processed: what is wrong, where, and what was expected. Carries no personal data.

    ``path`` points into the value (``genotypes[3].gt``), or names a header or the key; None where the whole value is
    meant.
    """

    def __init__(self, code: Code, message: str, path: str | None = None) -> None:
        super().__init__(f"{code}: {message}" + (f" (at {path})" if path else ""))
        self.code = code
        self.message = message
        self.path = path
