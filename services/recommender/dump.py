"""The store as canonical JSON lines: for comparing two runs, for audit, for moving.

Lines come in key order (tenant, patient). A patient's first line is the state; then follow the accepted results, the
accepted statements of clinical context and the published events. There are no times of processing, surrogate keys or
bus positions in it: two runs that accepted the same input in the same order for each patient give the same bytes, and a
patient's lines follow from its own input alone. With ``current_only`` there is neither history nor sequence, only what
counts now: the same bytes for the same set of input in any order. Then the state says as well, as a report does, which
results are filed under several patients, and results are shown as they read under the release that governs, so that a
store that came to it by activation has the same lines as one whose results were called under it. Without it, results
are as they were called.
"""

from collections.abc import AsyncIterator, Callable, Iterable, Iterator, Sequence
from functools import partial
from typing import Any, NamedTuple

import asyncpg
import orjson

from schemas.phenotype import ResultNote
from schemas.serialise import to_json
from services.recommender.discordance import Policy
from services.recommender.interpretation import Governing, Interpret, as_delivered
from services.recommender.misfiled import Elsewhere
from services.recommender.report import report_of, shown
from services.recommender.state import Releases, state_of
from services.recommender.store import Store, rows
from services.recommender.store.activations import activations
from services.recommender.store.elsewhere import elsewhere
from services.recommender.store.policies import POLICY

_PATIENTS = f"""
SELECT id, tenant, pseudonym, sequence, activation, {POLICY} FROM patients ORDER BY tenant, pseudonym
"""  # noqa: S608 - a constant
_RESULTS = f"""
SELECT patient_id, ordinal, superseded_by, software, warnings::text AS warnings,
       {rows.DELIVERY},
       ARRAY(SELECT cause_source || E'\\n' || cause_id FROM inbox
             WHERE inbox.patient_id = results.patient_id AND inbox.ordinal = results.ordinal) AS events
FROM results WHERE patient_id = ANY ($1::bigint[]) AND ($2 OR superseded_by IS NULL) ORDER BY patient_id, ordinal
"""  # noqa: S608 - a constant
_STATEMENTS = f"""
SELECT patient_id, ordinal, superseded_by, source, statement, version, {rows.STATEMENT},
       ARRAY(SELECT cause_source || E'\\n' || cause_id FROM inbox
             WHERE inbox.patient_id = statements.patient_id AND inbox.ordinal = statements.ordinal) AS events
FROM statements WHERE patient_id = ANY ($1::bigint[]) AND ($2 OR superseded_by IS NULL) ORDER BY patient_id, ordinal
"""  # noqa: S608 - a constant
_HISTORY = """
SELECT patient_id, sequence, cause_type, cause_id, release, keys::text AS keys,
       ARRAY(SELECT rule FROM rules WHERE number = ANY (issued) ORDER BY rule) AS issued,
       ARRAY(SELECT rule FROM rules WHERE number = ANY (withdrawn) ORDER BY rule) AS withdrawn,
       encode(body_sha256, 'hex') AS body_sha256
FROM history WHERE patient_id = ANY ($1::bigint[]) ORDER BY patient_id, sequence
"""
_BATCH = 200


async def dump(
    store: Store, releases: Releases, *, current_only: bool = False, interpret: Interpret = as_delivered
) -> AsyncIterator[bytes]:
    """The lines, without line ends, of one snapshot of the store."""
    async with store.snapshot() as connection:
        made = await activations(connection, interpret)
        cursor = await connection.cursor(_PATIENTS)
        while patients := await cursor.fetch(_BATCH):
            ids = [patient["id"] for patient in patients]
            results = _by_patient(await connection.fetch(_RESULTS, ids, not current_only))
            statements = _by_patient(await connection.fetch(_STATEMENTS, ids, not current_only))
            others = await elsewhere(connection, ids) if current_only else {}
            history = _by_patient([] if current_only else await connection.fetch(_HISTORY, ids))
            for patient in patients:
                accepted = results.get(patient["id"], [])
                said = statements.get(patient["id"], [])
                governing = made.of(patient["activation"])
                told = others.get(patient["id"], {})
                yield _state(patient, accepted, said, told, releases, governing, current_only)
                result = partial(_result, governing=governing if current_only else None)
                for line in _inputs(_RESULT, patient, accepted, current_only, result):
                    yield line
                for line in _inputs(_STATEMENT, patient, said, current_only, _statement):
                    yield line
                for event in history.get(patient["id"], []):
                    yield _event(patient, event)


def _by_patient(found: Iterable[asyncpg.Record]) -> dict[int, list[asyncpg.Record]]:
    grouped: dict[int, list[asyncpg.Record]] = {}
    for row in found:
        grouped.setdefault(row["patient_id"], []).append(row)
    return grouped


def _state(
    patient: asyncpg.Record,
    accepted: Sequence[asyncpg.Record],
    said: Sequence[asyncpg.Record],
    told: Elsewhere,
    releases: Releases,
    governing: Governing | None,
    current_only: bool,
) -> bytes:
    current = [rows.delivery(row) for row in accepted if row["superseded_by"] is None]
    statements = [rows.statement(row) for row in said if row["superseded_by"] is None]
    known = shown(state_of(current, releases, statements, governing, Policy(patient["policy"])), told)
    state: dict[str, Any] = orjson.loads(to_json(report_of(patient, known)))
    if current_only:
        del state["sequence"]
    return orjson.dumps({"record": "state", **state})


class _Kind(NamedTuple):
    """A kind of inputs, as lines show it."""

    record: str
    place: Callable[[asyncpg.Record], tuple[str, str]]
    """Where one stands among those that are current."""
    named: Callable[[asyncpg.Record], dict[str, Any]]
    """How its predecessor names one."""


_RESULT = _Kind("result", lambda row: (row["laboratory"], row["accession"]), lambda row: _note(row))
_STATEMENT = _Kind("statement", lambda row: (row["source"], row["statement"]), lambda row: {"version": row["version"]})


def _inputs(
    kind: _Kind,
    patient: asyncpg.Record,
    accepted: Sequence[asyncpg.Record],
    current_only: bool,
    content: Callable[[asyncpg.Record], dict[str, Any]],
) -> Iterator[bytes]:
    """The lines of one kind, in order of acceptance, or only what is current in order of their names."""
    by_ordinal = {row["ordinal"]: row for row in accepted}
    for row in sorted(accepted, key=kind.place) if current_only else accepted:
        line = {"record": kind.record, "tenant": patient["tenant"], "patient": patient["pseudonym"], **content(row)}
        if not current_only:
            successor = by_ordinal.get(row["superseded_by"])
            line["superseded_by"] = (
                None if successor is None else kind.named(successor) | {"sha256": successor["content_sha256"]}
            )
        yield orjson.dumps(line)


def _result(row: asyncpg.Record, governing: Governing | None) -> dict[str, Any]:
    facts = _facts(row, governing)
    return {
        **_note(row),
        "sex": row["sex"],
        "sha256": row["content_sha256"],
        "events": _events(row),
        "knowledge": facts.knowledge,
        "software": row["software"],
        "genotypes": orjson.Fragment(facts.genotypes),
        "phenotypes": orjson.Fragment(facts.phenotypes),
        "observed": orjson.Fragment(row["observed"]),
        "warnings": orjson.Fragment(row["warnings"] or "[]"),
    }


def _statement(row: asyncpg.Record) -> dict[str, Any]:
    return {"sha256": row["content_sha256"], "events": _events(row), "content": orjson.Fragment(row["content"])}


class _Facts(NamedTuple):
    """What a result's genes are, under a release."""

    knowledge: dict[str, str]
    genotypes: str
    phenotypes: str


def _facts(row: asyncpg.Record, governing: Governing | None) -> _Facts:
    """A result as it was called; as it reads under the release that governs, where one is given."""
    if governing is None or row["release"] == governing.knowledge.release:
        knowledge = {"release": row["release"], "sha256": row["release_sha256"]}
        return _Facts(knowledge, row["genotypes"], row["phenotypes"])
    read = governing.read(rows.delivery(row))
    return _Facts(governing.knowledge.model_dump(), rows.genotypes(read.genotypes), rows.phenotypes(read.phenotypes))


def _events(row: asyncpg.Record) -> list[dict[str, str]]:
    """The events that brought it."""
    return [dict(zip(("source", "id"), event.split("\n"), strict=True)) for event in sorted(row["events"])]


def _note(row: asyncpg.Record) -> dict[str, Any]:
    return ResultNote.of(rows.result_ref(row)).model_dump()


def _event(patient: asyncpg.Record, row: asyncpg.Record) -> bytes:
    return orjson.dumps(
        {
            "record": "event",
            "tenant": patient["tenant"],
            "patient": patient["pseudonym"],
            "sequence": row["sequence"],
            "cause": {"type": row["cause_type"], "id": row["cause_id"]},
            "release": row["release"],
            "keys": orjson.Fragment(row["keys"]),
            "issued": row["issued"],
            "withdrawn": row["withdrawn"],
            "sha256": row["body_sha256"],
        }
    )
