"""Clinical context: what a hospital says about a patient's medications and body on ``pgx.clinical-context.v1``.

A statement is a document of its own, with a version; a later version of it takes the place of the earlier ones. How
several statements become one context is told in ``services.recommender.context.current``.
"""

import hashlib
import re
import uuid
from datetime import datetime
from enum import StrEnum
from typing import Annotated, Any

import orjson
from pydantic import Field, StringConstraints
from pydantic.json_schema import SkipJsonSchema

from schemas import fields, identifiers, strict_json
from schemas.base import Model
from schemas.errors import Code, Rejected
from schemas.identifiers import Identifier
from schemas.lab_result import MAX_VERSION, Sex, named, parse_instant

MAX_BYTES = 100_000
"""Limit of a statement's value on the bus."""
MAX_MEDICATIONS = 200
_MAX_NAME = 128
_RXNORM = r"^[1-9][0-9]{0,8}$"
_ATC = r"^[A-Z][0-9]{2}[A-Z]{2}[0-9]{2}$"
_BIRTH_YEARS = (1900, 2999)
_HEIGHT_CM = (20.0, 260.0)
_WEIGHT_KG = (0.2, 650.0)
_INR = (1.0, 5.0)


class StatementStatus(StrEnum):
    """Life of a statement. The order of the members is the rank that breaks ties between deliveries of one version."""

    ACTIVE = "active"
    ENTERED_IN_ERROR = "entered-in-error"

    @property
    def rank(self) -> int:
        return list(StatementStatus).index(self)


class MedicationStatus(StrEnum):
    STARTED = "started"
    """The patient takes it from now on, or still does."""
    STOPPED = "stopped"


class Smoking(StrEnum):
    NEVER = "never"
    FORMER = "former"
    CURRENT = "current"
    UNKNOWN = "unknown"


class Ancestry(StrEnum):
    """As the patient says it, in the groups that dose equations were made with, and no others."""

    ASIAN = "asian"
    AFRICAN_AMERICAN = "african-american"
    AFRICAN = "african"
    """African or Black, not African American."""
    WHITE = "white"
    OTHER = "other"
    """Mixed, or none of the others."""
    UNKNOWN = "unknown"


class OrganFunction(StrEnum):
    NORMAL = "normal"
    IMPAIRED = "impaired"
    SEVERELY_IMPAIRED = "severely-impaired"
    UNKNOWN = "unknown"


class Transplant(StrEnum):
    LIVER = "liver"
    KIDNEY = "kidney"
    STEM_CELLS = "stem-cells"
    OTHER = "other"


class Indication(StrEnum):
    """Reasons for treatment that a dose equation asks for."""

    DVT_OR_PE = "deep-vein-thrombosis-or-pulmonary-embolism"
    ATRIAL_FIBRILLATION = "atrial-fibrillation"
    OTHER = "other"


class Medication(Model):
    """A drug that the patient started or stopped. At least one of ``rxnorm``, ``atc`` and ``name`` is given.

    A stop ends the start that names the drug in the same way: by RxNorm, else by ATC, else by name.
    """

    rxnorm: Annotated[str, StringConstraints(pattern=_RXNORM)] | None = None
    """RxNorm code (RxCUI) of the ingredient."""
    atc: Annotated[str, StringConstraints(pattern=_ATC)] | None = None
    """ATC code of the fifth level."""
    name: Annotated[str, StringConstraints(min_length=1, max_length=_MAX_NAME)] | None = None
    """International nonproprietary name; several ingredients are joined by ``/``."""
    status: MedicationStatus
    since: datetime | None = None
    """When it was started, in UTC."""
    until: datetime | None = None
    """When it was stopped, in UTC. Only ``status`` says whether it is taken: nothing here reads a clock."""

    @property
    def identity(self) -> str:
        """What a later statement about the same drug has in common with this one."""
        if self.rxnorm is not None:
            return f"rxnorm:{self.rxnorm}"
        return f"atc:{self.atc}" if self.atc is not None else f"name:{(self.name or '').casefold()}"


class Organs(Model):
    """Organ functions, as judged by whoever says so."""

    liver: OrganFunction | None = None
    kidney: OrganFunction | None = None
    transplants: tuple[Transplant, ...] | None = None
    """All that the patient has; an empty list: none."""


class ClinicalContext(Model):
    """One statement: facts about one patient, said by one source at one time. See ``docs/clinical-context.md``.

    A fact that is left out is not said; it is not unsaid either, unless an earlier version of this statement said it.
    """

    tenant: Identifier
    patient: Identifier
    source: Identifier
    """The system that says it."""
    statement: Identifier
    """Identifier of the statement within its source."""
    version: Annotated[int, Field(ge=1, le=MAX_VERSION)] = 1
    status: StatementStatus = StatementStatus.ACTIVE
    recorded: datetime
    """When it was said, in UTC."""
    effective: datetime | None = None
    """When the measurements (height, weight, smoking, organs, indications, target INR) were true, in UTC; left out:
    when they were said."""
    medications: Annotated[tuple[Medication, ...], Field(max_length=MAX_MEDICATIONS)] = ()
    sex: Sex | None = None
    birth_year: Annotated[int, Field(ge=_BIRTH_YEARS[0], le=_BIRTH_YEARS[1])] | None = None
    ancestry: Ancestry | None = None
    height_cm: Annotated[float, Field(ge=_HEIGHT_CM[0], le=_HEIGHT_CM[1])] | None = None
    weight_kg: Annotated[float, Field(ge=_WEIGHT_KG[0], le=_WEIGHT_KG[1])] | None = None
    smoking: Smoking | None = None
    organs: Organs | None = None
    indications: tuple[Indication, ...] | None = None
    """All that the source knows of; an empty list: none of these."""
    target_inr: Annotated[float, Field(ge=_INR[0], le=_INR[1])] | None = None
    """Of treatment with a vitamin K antagonist."""
    unknown_fields: SkipJsonSchema[tuple[str, ...]] = Field(default=(), exclude=True)
    """Names of fields that were ignored, for a warning; not part of the content."""

    @property
    def key(self) -> str:
        """Key of the patient's events on the bus."""
        return f"{self.tenant}/{self.patient}"


def parse(value: bytes | None) -> ClinicalContext:
    """The statement in the bytes. Raises Rejected with the code, the path and what was expected."""
    text, whole = loads(value)
    return parse_within(text, whole, whole)


def loads(value: bytes | None) -> tuple[bytes, Any]:
    """The JSON of a statement (or its envelope), and the text that ``parse_within`` has to look at. Raises Rejected."""
    return value or b"", strict_json.loads(value, MAX_BYTES)


def parse_within(value: bytes, whole: Any, content: Any) -> ClinicalContext:
    """The statement ``content`` in ``whole``, the JSON of ``value`` (itself, or its envelope). Raises Rejected."""
    strict_json.check_depth(whole)
    strict_json.check_names(value, whole)
    return _Reader().statement(content)


def canonical(statement: ClinicalContext) -> bytes:
    """The content as bytes, the same however it was written: names sorted, no spaces, no nulls or unknown fields."""
    return orjson.dumps(statement.model_dump(mode="json", exclude_none=True), option=orjson.OPT_SORT_KEYS)


def content_sha256(statement: ClinicalContext) -> str:
    return hashlib.sha256(canonical(statement)).hexdigest()


def content_id(statement: ClinicalContext) -> str:
    """Event id of a statement that came without one: publishing the same content twice is the same event."""
    return str(uuid.uuid5(_CONTENT_IDS, content_sha256(statement)))


_CONTENT_IDS = uuid.uuid5(uuid.NAMESPACE_URL, "pgx.clinical-context.v1")


def _known(model: type[Model]) -> frozenset[str]:
    return frozenset(model.model_fields) - {"unknown_fields"}


class _Reader:
    """Reads one statement; remembers the names of fields that nobody knows."""

    def __init__(self) -> None:
        self._unknown: set[str] = set()

    def statement(self, obj: Any) -> ClinicalContext:
        given = self._fields(obj, ClinicalContext, "", "a clinical context")
        for name in ("tenant", "patient", "source", "statement", "recorded"):
            if name not in given:
                raise Rejected(Code.INVALID_FIELD, "the field is missing", name)
        read: dict[str, Any] = {
            "tenant": identifiers.check(given["tenant"], "tenant"),
            "patient": identifiers.check_patient(given["patient"]),
            "source": identifiers.check(given["source"], "source"),
            "statement": identifiers.check(given["statement"], "statement"),
            "recorded": parse_instant(given["recorded"], "recorded"),
        }
        optional: dict[str, Any] = {
            "version": fields.whole(1, MAX_VERSION),
            "status": fields.one_of(StatementStatus),
            "effective": parse_instant,
            "medications": self._medications,
            "sex": fields.one_of(Sex),
            "birth_year": fields.whole(*_BIRTH_YEARS),
            "ancestry": fields.one_of(Ancestry),
            "height_cm": fields.number(*_HEIGHT_CM),
            "weight_kg": fields.number(*_WEIGHT_KG),
            "smoking": fields.one_of(Smoking),
            "organs": self._organs,
            "indications": fields.set_of(Indication),
            "target_inr": fields.number(*_INR),
        }
        for name, reader in optional.items():
            if name in given:
                read[name] = reader(given[name], name)
        if "effective" in read and read["effective"] > read["recorded"]:
            raise Rejected(Code.INVALID_FIELD, "expected a time that is not after recorded", "effective")
        if "birth_year" in read and read["birth_year"] > read["recorded"].year:
            raise Rejected(Code.INVALID_FIELD, "expected a year that is not after recorded", "birth_year")
        if self._unknown:
            read["unknown_fields"] = named(self._unknown)
        return ClinicalContext.model_construct(**read)

    def _fields(self, obj: Any, model: type[Model], path: str, what: str) -> dict[str, Any]:
        """The fields that are given: null is as good as left out."""
        if type(obj) is not dict:
            raise Rejected(Code.INVALID_FIELD, f"expected a JSON object with {what}", path or None)
        place = re.sub(r"\[\d+\]", "[]", path)
        self._unknown |= {f"{place}.{name}".lstrip(".") for name in obj.keys() - _known(model)}
        return {name: value for name, value in obj.items() if value is not None}

    def _medications(self, value: Any, path: str) -> tuple[Medication, ...]:
        if type(value) is not list or len(value) > MAX_MEDICATIONS:
            raise Rejected(Code.INVALID_FIELD, f"expected an array of at most {MAX_MEDICATIONS} medications", path)
        read = tuple(self._medication(one, f"{path}[{index}]") for index, one in enumerate(value))
        seen: set[str] = set()
        for index, one in enumerate(read):
            if one.identity in seen:
                raise Rejected(
                    Code.INVALID_FIELD, "the same drug is listed before; expected it once", f"{path}[{index}]"
                )
            seen.add(one.identity)
        return read

    def _medication(self, obj: Any, path: str) -> Medication:
        given = self._fields(obj, Medication, path, "a medication")
        if not {"rxnorm", "atc", "name"} & given.keys():
            raise Rejected(Code.INVALID_FIELD, "expected at least one of rxnorm, atc and name", path)
        if "status" not in given:
            raise Rejected(Code.INVALID_FIELD, "the field is missing", f"{path}.status")
        readers: dict[str, Any] = {
            "rxnorm": fields.text(_RXNORM, "an RxNorm code (digits as a text)"),
            "atc": fields.text(_ATC, "an ATC code of the fifth level, such as N06AB05"),
            "name": fields.line(_MAX_NAME),
            "status": fields.one_of(MedicationStatus),
            "since": parse_instant,
            "until": parse_instant,
        }
        read = {name: reader(given[name], f"{path}.{name}") for name, reader in readers.items() if name in given}
        if "since" in read and "until" in read and read["until"] < read["since"]:
            raise Rejected(Code.INVALID_FIELD, "expected a time that is not before since", f"{path}.until")
        return Medication.model_construct(**read)

    def _organs(self, value: Any, path: str) -> Organs:
        given = self._fields(value, Organs, path, "organ functions")
        readers: dict[str, Any] = {
            "liver": fields.one_of(OrganFunction),
            "kidney": fields.one_of(OrganFunction),
            "transplants": fields.set_of(Transplant),
        }
        return Organs.model_construct(
            **{name: reader(given[name], f"{path}.{name}") for name, reader in readers.items() if name in given}
        )
