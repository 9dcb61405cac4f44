"""Telling a pseudonym from a name, a date of birth or a national number.

A pseudonym refused by mistake keeps a patient out for good, a name that slips through is one too many on the bus. Every
rule is therefore about a shape that identifiers made at random (UUIDs, hexadecimal, base32, ULIDs, base64url of 12
characters and more, numbered codes) take less than once in a thousand, most of them never. What its shape does not tell
apart passes: a single word in one case, a number behind a prefix. Codes of digits alone need a letter before them.

A date of birth:
- year, month and day as neighbouring parts in any order, the month also by name: ``1980-03-12``, ``12.03.80``;
- a part that is YYYYMMDD, also behind letters, or a whole identifier that is DDMMYYYY or MMDDYYYY: ``p-19800312``.

A national number:
- 9 to 11 digits and nothing else, however grouped: ``943-476-5919``; not ``p9434765919``;
- three, two and four digits, also behind a prefix: ``ssn-123-45-6789``;
- longer or mixed ones with the structure of one: ``1234-5678-9012``, ``RSSMRA85T10A562S`` (see ``_NATIONAL``).

A name:
- two to four words that can be spoken, none a word of the trade such as ``sample``: ``John.Smith``, ``SMITH_JOHN``;
- capitalised words run together, or one alone: ``JohnSmith``, ``Smith``; not ``smith``;
- an initial and a word: ``J.Smith``, ``j.smith``; not ``p-smith``.
"""

import re
from datetime import date

_SEPARATOR = re.compile(r"[._:#-]+")
_OPAQUE = re.compile(
    r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}|(?=[0-9a-f]*[a-f])(?=[0-9a-f]*[0-9])[0-9a-f]{12,}", re.IGNORECASE
)
"""A UUID, or hexadecimal that is long enough to be a hash and has letters and digits."""


def looks_personal(patient: str) -> str | None:
    """What the identifier looks like (``a name``, ``a date of birth``, ``a national number``), None for a pseudonym."""
    if _OPAQUE.fullmatch(patient):
        return None
    parts = [part for part in _SEPARATOR.split(patient) if part]
    if _has_date(parts):
        return "a date of birth"
    if _is_national_number(patient, parts):
        return "a national number"
    return "a name" if _is_name(patient, parts) else None


_MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_PREFIXED_DATE = re.compile(r"[A-Za-z]*([0-9]{8})")
_NAMED_MONTH_DATE = re.compile(r"([0-9]{1,2})([A-Za-z]{3})[a-z]*((?:19|20)[0-9]{2})")


def _has_date(parts: list[str]) -> bool:
    if len(parts) == 1 and len(parts[0]) == 8:
        first, second, year = parts[0][:2], parts[0][2:4], parts[0][4:]
        if _is_day(year, first, second) or _is_day(year, second, first):
            return True
    for part in parts:
        if (match := _PREFIXED_DATE.fullmatch(part)) and _is_day(match[1][:4], match[1][4:6], match[1][6:]):
            return True
        if (match := _NAMED_MONTH_DATE.fullmatch(part)) and _is_day(match[3], match[2], match[1]):
            return True
    return any(_is_written_date(*three) for three in zip(parts, parts[1:], parts[2:], strict=False))


def _is_written_date(first: str, second: str, third: str) -> bool:
    if len(third) == 4 or len(first) == 4:
        year, rest = (third, (first, second)) if len(third) == 4 else (first, (second, third))
        return _is_day(year, *rest) or _is_day(year, *reversed(rest))
    if {len(first), len(second), len(third)} != {2}:
        return False
    return any(
        _is_day(century + year, month, day)
        for century in ("19", "20")
        for year, month, day in ((first, second, third), (third, second, first), (third, first, second))
    )


def _is_day(year: str, month: str, day: str) -> bool:
    """Whether the texts are a day on which somebody who is alive could have been born."""
    name = month[:3].lower()
    number = _MONTHS.index(name) + 1 if name in _MONTHS else _number(month)
    try:
        return 1900 <= date(_number(year), number, _number(day)).year <= 2039
    except ValueError:
        return False


def _number(text: str) -> int:
    return int(text) if text.isdigit() and len(text) <= 4 else 0


_NATIONAL = (
    re.compile(r"[0-9]{4}([-._:])[0-9]{4}\1[0-9]{4}"),  # India, Japan: 12 digits as they are printed
    re.compile(r"[0-9]{6}-[0-9]{7}"),  # Korea
    re.compile(r"756[.-]?[0-9]{4}[.-]?[0-9]{4}[.-]?[0-9]{2}"),  # Switzerland
    re.compile(r"[12][0-9]{2}(?:0[1-9]|1[0-2])(?:[0-9]{2}|2[AB])[0-9]{8}"),  # France, with its key
    re.compile(r"[1-9][0-9]{5}(?:19|20)[0-9]{2}(?:0[1-9]|1[0-2])(?:0[1-9]|[12][0-9]|3[01])[0-9]{3}[0-9X]"),  # China
    re.compile(r"(?:19|20)[0-9]{2}(?:0[1-9]|1[0-2])(?:0[1-9]|[12][0-9]|3[01])-?[0-9]{4}"),  # Sweden, with the century
    re.compile(r"(?:0[1-9]|[12][0-9]|3[01])(?:0[1-9]|1[0-2])[0-9]{2}[-A][0-9]{3}[0-9A-Y]"),  # Finland
    re.compile(r"[A-Z]{6}[0-9]{2}[A-EHLMPRST][0-9]{2}[A-Z][0-9]{3}[A-Z]"),  # Italy
    re.compile(r"[A-Z]{4}[0-9]{6}[HMX][A-Z]{5}[A-Z0-9][0-9]"),  # Mexico
)
_SPANISH = re.compile(r"([XYZ]|[0-9])([0-9]{7})-?([A-Z])")
_SPANISH_LETTERS = "TRWAGMYFPDXBNJZSQVHLCKE"


def _is_national_number(patient: str, parts: list[str]) -> bool:
    digits = "".join(parts)
    if digits.isdigit() and 9 <= len(digits) <= 11:
        return True
    groups = [len(part) for part in parts if part.isdigit()]
    if groups == [3, 2, 4] and all(part.isalnum() and (part.isdigit() or part.isalpha()) for part in parts):
        return True
    if any(pattern.fullmatch(patient) for pattern in _NATIONAL):
        return True
    if match := _SPANISH.fullmatch(patient):
        first = str("XYZ".index(match[1])) if match[1] in "XYZ" else match[1]
        return _SPANISH_LETTERS[int(first + match[2]) % 23] == match[3]
    return False


_WORDS_OF_THE_TRADE = frozenset(
    """
    accession alpha anon anonymous arm baby batch beta biobank case child clinic code cohort control default delta
    demo donor dummy ehr eight emr example fake family father first five four gamma gene genome genomic genomics
    group hash hospital id index infant intermediate key lab laboratory left local member metabolizer mock mother
    mrn negative new nine none normal null old one panel participant partner pat patient patients person pgx
    pharmacogenomics phased poor positive proband pseudo pseudonym random rapid record ref reference registry
    reported research right sample scenario second seven site six specimen study subj subject synthetic ten test
    tester third three trial trio tube twin two uid ultrarapid unknown unphased urn uuid visit whole zero
    """.split()  # noqa: SIM905
)
_CAPITALISED_RUN = re.compile(r"(?:[A-Z][a-z]+)+")
_CAPITALISED = re.compile(r"[A-Z][a-z]+")
_HEXADECIMAL = re.compile(r"[A-Fa-f]{6,}")
_TWO_CAPITALS = re.compile(r"(?:Mc|Mac|De|Di|La|Le|Van|O)[A-Z][a-z]+")
_VOWELS = "aeiouy"
# Two consonants that words of European, South and East Asian languages begin with, as far as they use Latin letters.
_ONSETS = frozenset(
    """
    bh bj bl br ch cl cr cw cz dh dj dm dr dv dz fj fl fr gh gj gl gn gr gw hj hl hr hv hw jh kh kj kl km kn kr kv
    kw lh lj ll mb mc ml mn mr nd ng nh nj nk nt pf ph pj pl pr ps rh rz sc sh sj sk sl sm sn sp sq sr st sv sw sz
    th tj tl tr ts tv tw tz vl vr wh wl wr xh yv zb zd zh zl zs zv zw
    """.split()  # noqa: SIM905
)


def _is_name(patient: str, parts: list[str]) -> bool:
    if not parts:
        return False
    if any(word.lower() in _WORDS_OF_THE_TRADE for part in parts for word in _words(part)):
        rest = [part for part in parts if part.lower() not in _WORDS_OF_THE_TRADE]
        return 1 < len(rest) < len(parts) and all(_CAPITALISED.fullmatch(part) and _is_spoken(part) for part in rest)
    if len(parts) == 1:
        capitals = _CAPITALISED.findall(parts[0]) if _CAPITALISED_RUN.fullmatch(_without_year(parts[0])) else []
        return 1 <= len(capitals) <= 4 and all(len(word) > 2 and _is_spoken(word) for word in capitals)
    *others, last = parts
    shaped = [*others, _without_year(last)] if _CAPITALISED.match(last) or "." in patient else parts
    if last.isdigit() and len(last) <= 4 and len(parts) > 2 and ("." in patient or not patient.islower()):
        shaped = others
    if len(shaped) > 4 or not all(part.isalpha() for part in shaped) or _is_grouped_code(shaped):
        return False
    initials = [part for part in shaped if len(part) == 1]
    words = [part for part in shaped if len(part) > 1]
    if not words or not all(map(_is_spoken, words)):
        return False
    if initials:
        signed = "." in patient or (all(map(str.isupper, initials)) and any(map(str.istitle, words)))
        return signed and any(len(word) > 2 for word in words)
    return all(len(word) > 2 or word.istitle() for word in words)


def _is_grouped_code(parts: list[str]) -> bool:
    """Base32 in groups of one length, or lower case beside capitals, as in base64url."""
    styles = {"lower" if part.islower() else "upper" if part.isupper() and len(part) > 1 else "any" for part in parts}
    groups = len(parts) > 2 and styles == {"upper"} and len(set(map(len, parts))) == 1
    return groups or {"lower", "upper"} <= styles


def _words(part: str) -> list[str]:
    """The part and, where capitals divide it, its words, each without digits."""
    return [part.strip("0123456789"), *re.findall(r"[A-Z]?[a-z]+|[A-Z]+", part)]


def _without_year(part: str) -> str:
    return re.sub(r"[0-9]{1,4}$", "", part)


def _is_spoken(word: str) -> bool:
    """Whether somebody could say the word: vowels among the consonants, a beginning that languages know."""
    if not (word.istitle() or word.islower() or word.isupper() or _TWO_CAPITALS.fullmatch(word)):
        return False
    lower = word.lower()
    if _HEXADECIMAL.fullmatch(word) or len(lower) > 20:
        return False
    if len(lower) == 2:
        return True
    shape = "".join("v" if letter in _VOWELS else "c" for letter in lower)
    if "v" not in shape or "ccccc" in shape or "vvvv" in shape or re.search(r"(.)\1\1", lower):
        return False
    begins_well = not shape.startswith("cc") or lower[:2] in _ONSETS
    return begins_well and ("c" in shape or len(lower) <= 3)
