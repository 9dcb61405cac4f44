"""Which patients are refused because they look like a person, and which codes must pass."""

import base64
import random
import uuid
from collections.abc import Callable

import pytest

from schemas import identifiers
from schemas.errors import Code, Rejected
from schemas.pseudonym import looks_personal

NAMES = """
John.Smith john.smith JOHN.SMITH SMITH.John smith-john doe_jane Jane_Doe JohnSmith Smith Maria MariaGarcia maria-garcia
J.Smith j.smith Smith.J john.smith2 John.Smith1980 Anne-Marie.Dupont Schmidt-Mueller Van.Der.Berg O.Brien Nguyen.Van.An
Wu-Li Kowalski.Piotr McDonald.Ronald JaneDoe80 Patient.John.Smith
Smith-John-2 john.smith.2
""".split()  # noqa: SIM905
DATES = """
1980-03-12 12.03.1980 03-12-1980 1980.03.12 1980_03_12 1980:03:12 19800312 12031980 03121980 12-Mar-1980 12MAR1980
p-19800312 p-1980-03-12 12-03-80 80-03-12 dob19800312 John.Smith.1980-03-12 5.6.1980 2000-1-5 2000-02-29
""".split()  # noqa: SIM905
NUMBERS = """
123-45-6789 ssn-123-45-6789 123456789 1234567890 12345678901 943-476-5919 010203-1234 123.456.789-09 800312-1234567
198003121234 19800312-1234 756.1234.5678.97 RSSMRA85T10A562S 12345678Z X1234567L 131052-308T 1234-5678-9012
11010519491231002X
""".split()  # noqa: SIM905
PSEUDONYMS = """
warfarin-high-1 load-run-17 p-7f3a91 p1 p-1 PAT000123 PAT-000123 patient-1 patient-a patient-alpha P001 mercy-p-001
sample-panel Patient1 TestPatient MFRGGZDFMZTWQ2LK mfrggzdfmztwq2lk MFRG-GZDF-MZTW-Q2LK deadbeef abcdef p-abcdef
p-deadbeef 7f3a91 NA12878 HG-00276 MRN123456 MRN-12345678 123456 12345678 000123 20269999 20260230 site-01-000123
S01-0001-0002 subject_42 p-2024-001 V1StGXR8_Z5jdHi6B-myT urn:uuid:6ba7b810-9dad-11d1-80b4-00c04fd430c8 p123456789
p#12 lab:p:9 rs4244285 12345678A 2.25.329800735698586629295641978511506172918 123456789012 alice smith GARCIA 1 - .
... p-smith p-001-0002 sim-00017
""".split()  # noqa: SIM905


@pytest.mark.parametrize("patient", NAMES)
def test_names_are_refused(patient: str) -> None:
    assert looks_personal(patient) == "a name"


@pytest.mark.parametrize("patient", DATES)
def test_dates_of_birth_are_refused(patient: str) -> None:
    assert looks_personal(patient) == "a date of birth"


@pytest.mark.parametrize("patient", NUMBERS)
def test_national_numbers_are_refused(patient: str) -> None:
    assert looks_personal(patient) in ("a national number", "a date of birth")


@pytest.mark.parametrize("patient", PSEUDONYMS)
def test_pseudonyms_pass(patient: str) -> None:
    assert looks_personal(patient) is None


_RANDOM = random.Random(20261123)

SCHEMES: dict[str, tuple[Callable[[], str], int]] = {
    "UUID": (lambda: str(uuid.UUID(bytes=_RANDOM.randbytes(16), version=4)), 0),
    "UUID without hyphens": (lambda: _RANDOM.randbytes(16).hex(), 0),
    "SHA-256": (lambda: _RANDOM.randbytes(32).hex(), 0),
    "p- and six hexadecimal digits": (lambda: f"p-{_RANDOM.randbytes(3).hex()}", 0),
    "twelve hexadecimal digits": (lambda: _RANDOM.randbytes(6).hex(), 0),
    "base32": (lambda: base64.b32encode(_RANDOM.randbytes(10)).decode(), 0),
    "base32 in groups": (lambda: "-".join(base64.b32encode(_RANDOM.randbytes(3)).decode()[:4] for _ in range(4)), 0),
    "ULID": (lambda: "".join(_RANDOM.choices("0123456789ABCDEFGHJKMNPQRSTVWXYZ", k=26)), 0),
    "base64url": (lambda: base64.urlsafe_b64encode(_RANDOM.randbytes(9)).decode().replace("_", "-"), 5),
    "prefix and six digits": (lambda: f"PAT{_RANDOM.randrange(10**6):06}", 0),
    "prefix and eight digits": (lambda: f"P{_RANDOM.randrange(10**8):08}", 5),
    "eight digits": (lambda: f"{_RANDOM.randrange(10**8):08}", 10),
}


@pytest.mark.parametrize("scheme", SCHEMES)
def test_codes_made_at_random_pass(scheme: str) -> None:
    make, tolerated = SCHEMES[scheme]
    refused = [code for code in (make() for _ in range(5_000)) if looks_personal(code)]
    assert len(refused) <= tolerated, refused


def test_the_rejection_says_what_it_looks_like_and_not_what_it_is() -> None:
    with pytest.raises(Rejected) as caught:
        identifiers.check_patient("John.Smith")
    assert (caught.value.code, caught.value.path) == (Code.UNSAFE_IDENTIFIER, "patient")
    assert "a name" in caught.value.message
    assert "Smith" not in str(caught.value)


def test_only_the_patient_is_screened() -> None:
    for identifier in ("John.Smith", "ACC-1980-03-12", "123456789"):
        assert identifiers.check(identifier, "accession") == identifier
