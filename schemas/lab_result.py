"""The laboratory's result: what arrives on ``pgx.lab-result.v1`` and what ``pgx evaluate`` reads.

The models describe it; ``parse`` is how it is read, strictly and fast, and ``canonical`` how its content is hashed.
"""

import hashlib
import re
import uuid
from datetime import UTC, datetime
from enum import StrEnum
from typing import Annotated, Any, Literal, NotRequired

import orjson
from pydantic import Field, StringConstraints
from pydantic.json_schema import SkipJsonSchema
from typing_extensions import TypedDict

from schemas import genotype_rows, identifiers, strict_json
from schemas.base import Model
from schemas.errors import Code, Rejected
from schemas.identifiers import Identifier
from schemas.row_texts import RowTexts

MAX_BYTES = 1_000_000
"""Limit of a lab result's value on the bus."""
MAX_VERSION = 2**53 - 1
"""The largest whole number that every JSON reader keeps exactly; room for laboratories that count in milliseconds."""
MAX_REPORTED_TEXT = 1_000


class Status(StrEnum):
    """Life of a result. The order of the members is the rank that breaks ties between deliveries of one version."""

    PRELIMINARY = "preliminary"
    FINAL = "final"
    AMENDED = "amended"
    CORRECTED = "corrected"
    CANCELLED = "cancelled"
    ENTERED_IN_ERROR = "entered-in-error"

    @property
    def rank(self) -> int:
        return list(Status).index(self)

    @property
    def withdrawn(self) -> bool:
        """Whether the result no longer says anything about the patient."""
        return self in (Status.CANCELLED, Status.ENTERED_IN_ERROR)


class Sex(StrEnum):
    FEMALE = "female"
    MALE = "male"
    UNKNOWN = "unknown"


class Genotype(TypedDict):
    """One VCF row of one sample (1-based GRCh38 ``pos``, left-normalised ``ref``/``alt``).

    A plain dictionary, not a model: an event carries some 1,200 of them and they are read once. ``parse`` leaves out
    what was null, so that an optional key is either there with a value or not there.
    """

    chrom: Annotated[str, StringConstraints(pattern=r"^[!-~]{1,128}$")]
    pos: Annotated[int, Field(ge=1, le=genotype_rows.MAX_POSITION)]
    ref: Annotated[str, StringConstraints(pattern="^[ACGTNacgtn]+$")]
    alt: list[Annotated[str, StringConstraints(pattern="^[!-~]+$")]]
    gt: Annotated[str, StringConstraints(pattern=r"^[/|]?(\.|0|[1-9][0-9]*)([/|](\.|0|[1-9][0-9]*))*$", max_length=64)]
    id: NotRequired[Annotated[str, StringConstraints(max_length=128)] | None]
    ps: NotRequired[Annotated[int, Field(ge=0, le=genotype_rows.MAX_POSITION)] | None]
    ad: NotRequired[list[int] | None]
    filter: NotRequired[Annotated[str, StringConstraints(max_length=128)] | None]


ReportedText = Annotated[str, StringConstraints(max_length=MAX_REPORTED_TEXT)]


class Reported(Model):
    """A call made elsewhere: a CYP2D6 copy-number caller, an HLA typer, the laboratory itself."""

    gene: Annotated[str, StringConstraints(min_length=1, max_length=128)]
    diplotype: ReportedText | None = None
    phenotype: ReportedText | None = None
    activity_score: ReportedText | None = None


class ResultRef(Model):
    """Which laboratory result something came from. Travels through every later event and into the store."""

    laboratory: str
    accession: str
    status: Status
    version: int
    issued: datetime
    sex: Sex
    event_source: str
    event_id: str
    sha256: str
    """SHA-256 of the lab result's canonical content: breaks ties between deliveries and proves what was seen."""

    @property
    def order(self) -> tuple[int, int, datetime, str]:
        """Of several deliveries of one (laboratory, accession) the one with the highest order is current."""
        return (self.version, self.status.rank, self.issued, self.sha256)


class LabResult(Model):
    """A sample's results with all its genes, as published by a laboratory. See ``docs/lab-result.md``."""

    tenant: Identifier
    patient: Identifier
    accession: Identifier
    laboratory: Identifier
    status: Status
    version: Annotated[int, Field(ge=1, le=MAX_VERSION)]
    issued: datetime
    """In UTC: the same instant written with another offset is the same content."""
    assembly: Literal["GRCh38"]
    sex: Sex = Sex.UNKNOWN
    genotypes: tuple[Genotype, ...] = ()
    reported: tuple[Reported, ...] = ()
    unknown_fields: SkipJsonSchema[tuple[str, ...]] = Field(default=(), exclude=True)
    """Names of fields that were ignored (``note``, ``genotypes[].dp``), for a warning; not part of the content."""

    @property
    def key(self) -> str:
        """Key of the patient's events on the bus."""
        return f"{self.tenant}/{self.patient}"


def parse(value: bytes | None) -> LabResult:
    """The lab result in the bytes. Raises Rejected with the code, the path and what was expected."""
    text, whole = loads(value)
    return parse_within(text, whole, whole)


def loads(value: bytes | None) -> tuple[bytes, Any]:
    """The JSON of a lab result (or its envelope), and the text that ``parse_within`` still has to look at.

    Rows whose text was accepted before stand in it as accepted ones, and are missing in the text. Raises Rejected.
    """
    if value and len(value) <= MAX_BYTES and (known := _ROW_TEXTS.loads(value)) is not None:
        return known
    return value or b"", strict_json.loads(value, MAX_BYTES)


def parse_within(value: bytes, whole: Any, content: Any) -> LabResult:
    """The lab result ``content`` in ``whole``, the JSON of ``value`` (itself, or its envelope). Raises Rejected."""
    result, colons = _checked(content, whole)
    if colons is not None:
        rest = content | {"genotypes": []} if "genotypes" in content else content
        colons += strict_json.colons_of(rest if content is whole else whole | {"data": rest})
    strict_json.check_names(value, whole, colons)
    return result


def parse_object(obj: Any) -> LabResult:
    """The lab result in a JSON object that is already read. Raises Rejected."""
    return _checked(obj, obj)[0]


def canonical(result: LabResult) -> bytes:
    """The content as bytes, the same however it was written: names sorted, no spaces, no nulls or unknown fields."""
    content = {
        "tenant": result.tenant,
        "patient": result.patient,
        "accession": result.accession,
        "laboratory": result.laboratory,
        "status": result.status.value,
        "version": result.version,
        "issued": result.issued.isoformat(),
        "assembly": result.assembly,
        "sex": result.sex.value,
        "genotypes": result.genotypes,
        "reported": [reported.model_dump(exclude_none=True) for reported in result.reported],
    }
    return orjson.dumps(content, option=orjson.OPT_SORT_KEYS)


def content_sha256(result: LabResult) -> str:
    return hashlib.sha256(canonical(result)).hexdigest()


def content_id(result: LabResult) -> str:
    """Event id of a result that came without one: publishing the same content twice is the same event."""
    return str(uuid.uuid5(_CONTENT_IDS, content_sha256(result)))


_ROW_TEXTS = RowTexts()
_CONTENT_IDS = uuid.uuid5(uuid.NAMESPACE_URL, "pgx.lab-result.v1")
_STATUSES = {status.value: status for status in Status}
_SEXES = {sex.value: sex for sex in Sex}
_KNOWN = LabResult.model_fields.keys() - {"unknown_fields"}
_NAMED_AT_MOST = 20
# RFC 3339 section 5.6; seconds and the offset are required there.
_INSTANT = re.compile(r"(\d{4}-\d\d-\d\d)[Tt](\d\d:\d\d:\d\d)(\.\d{1,9})?([Zz]|[+-]\d\d:\d\d)", re.ASCII)


def _checked(content: Any, whole: Any) -> tuple[LabResult, int | None]:
    """The result, and how many colons its rows take as JSON where that is known."""
    unknown: set[str] = set()
    try:
        fields, colons = _fields(content, unknown)
    except Rejected:
        strict_json.check_depth(whole)
        raise
    if unknown:
        strict_json.check_depth(whole)
        fields["unknown_fields"] = named(unknown)
    return LabResult.model_construct(**fields), colons


def _fields(obj: Any, unknown: set[str]) -> tuple[dict[str, Any], int | None]:
    if type(obj) is not dict:
        raise Rejected(Code.INVALID_FIELD, "expected a JSON object with a lab result")
    unknown.update(obj.keys() - _KNOWN)
    fields: dict[str, Any] = {
        "tenant": identifiers.check(_required(obj, "tenant"), "tenant"),
        "patient": identifiers.check_patient(_required(obj, "patient")),
        "accession": identifiers.check(_required(obj, "accession"), "accession"),
        "laboratory": identifiers.check(_required(obj, "laboratory"), "laboratory"),
        "status": _member(_STATUSES, _required(obj, "status"), "status"),
        "version": _version(_required(obj, "version")),
        "issued": parse_instant(_required(obj, "issued"), "issued"),
        "assembly": _assembly(_required(obj, "assembly")),
    }
    colons: int | None = 0
    if (sex := obj.get("sex")) is not None:
        fields["sex"] = _member(_SEXES, sex, "sex")
    if (rows := obj.get("genotypes")) is not None:
        accepted = genotype_rows.accept(rows, unknown.add)
        fields["genotypes"], colons = accepted.rows, accepted.colons
    if (reported := obj.get("reported")) is not None:
        fields["reported"] = _reported(reported, unknown)
    return fields, colons


def _required(obj: dict[str, Any], name: str) -> Any:
    if (value := obj.get(name)) is None:
        raise Rejected(Code.INVALID_FIELD, "the field is missing", name)
    return value


def _member(members: dict[str, Any], value: Any, path: str) -> Any:
    if type(value) is not str or value not in members:
        raise Rejected(Code.INVALID_FIELD, f"expected one of {', '.join(members)}", path)
    return members[value]


def _version(value: Any) -> int:
    if type(value) is not int or not 1 <= value <= MAX_VERSION:
        raise Rejected(Code.INVALID_FIELD, "expected a positive whole number", "version")
    return value


def _assembly(value: Any) -> Literal["GRCh38"]:
    if type(value) is not str:
        raise Rejected(Code.INVALID_FIELD, "expected GRCh38", "assembly")
    if value != "GRCh38":
        raise Rejected(Code.WRONG_ASSEMBLY, "expected GRCh38; other assemblies are not converted", "assembly")
    return "GRCh38"


def parse_instant(value: Any, path: str) -> datetime:
    """An RFC 3339 date and time with its offset, in UTC, cut to microseconds. Raises Rejected(INVALID_FIELD)."""
    expected = Rejected(
        Code.INVALID_FIELD, "expected a date and time with a time zone (RFC 3339), such as 2026-11-23T10:00:00Z", path
    )
    if type(value) is not str or (match := _INSTANT.fullmatch(value)) is None:
        raise expected
    day, clock, fraction, offset = match.groups()
    try:
        instant = datetime.fromisoformat(f"{day}T{clock}{(fraction or '')[:7]}{offset.upper()}").astimezone(UTC)
    except (ValueError, OverflowError):
        raise expected from None
    if not 1900 <= instant.year < 3000:
        raise expected
    return instant


def _reported(value: Any, unknown: set[str]) -> tuple[Reported, ...]:
    if type(value) is not list:
        raise Rejected(Code.INVALID_FIELD, "expected an array of reported calls", "reported")
    return tuple(_reported_call(entry, f"reported[{index}]", unknown) for index, entry in enumerate(value))


def _reported_call(entry: Any, path: str, unknown: set[str]) -> Reported:
    if type(entry) is not dict:
        raise Rejected(Code.INVALID_FIELD, "expected a reported call (an object)", path)
    unknown.update(f"reported[].{name}" for name in entry.keys() - Reported.model_fields.keys())
    gene = entry.get("gene")
    if gene is None:
        raise Rejected(Code.INVALID_FIELD, "the field is missing", f"{path}.gene")
    texts: dict[str, Any] = {"gene": _reported_text(gene, f"{path}.gene", longest=128)}
    if not gene:
        raise Rejected(Code.INVALID_FIELD, "expected a gene symbol", f"{path}.gene")
    for name in ("diplotype", "phenotype", "activity_score"):
        if (text := entry.get(name)) is not None:
            texts[name] = _reported_text(text, f"{path}.{name}", longest=MAX_REPORTED_TEXT)
    return Reported.model_construct(**texts)


def _reported_text(value: Any, path: str, longest: int) -> str:
    # NUL cannot be stored; anything else that cannot be read costs only the gene, later.
    if type(value) is not str or len(value) > longest or "\0" in value:
        raise Rejected(Code.INVALID_FIELD, f"expected a text of at most {longest:,} characters without NUL", path)
    return value


def named(unknown: set[str]) -> tuple[str, ...]:
    """Names of fields that were ignored, as they may stand in a warning."""
    names = sorted(strict_json.printable(name) for name in unknown)
    return (*names[:_NAMED_AT_MOST], "…") if len(names) > _NAMED_AT_MOST else tuple(names)
