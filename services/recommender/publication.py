"""A recommendation event as the store keeps it: its row of history, and its place in the outbox."""

import hashlib

import orjson

from schemas.cloudevents import MAX_VALUE_BYTES, headers_of
from schemas.errors import Code, Rejected
from schemas.topics import RECOMMENDATION
from services.recommender.body import pack
from services.recommender.discordance import Policy
from services.recommender.interpretation import Governing
from services.recommender.lanes import lane_of
from services.recommender.notice import Notice
from services.recommender.patient import Patient
from services.recommender.store.rows import HistoryRow, OutboxRow, difference, keys
from services.recommender.store.unit import Stored

SOURCE = "/pgx/recommender"


def outbox_row(notice: Notice, body: bytes, id_: str, time: str, traceparent: str | None = None) -> OutboxRow:
    """The event as it is to be published. Raises Rejected(OUTPUT_TOO_LARGE)."""
    if len(body) > MAX_VALUE_BYTES:
        raise Rejected(
            Code.OUTPUT_TOO_LARGE, f"{len(body):,} bytes of recommendations; at most {MAX_VALUE_BYTES:,} are published"
        )
    headers = headers_of(RECOMMENDATION, id=id_, source=SOURCE, time=time, traceparent=traceparent)
    named = orjson.dumps([[name, value.decode()] for name, value in headers]).decode()
    return OutboxRow(lane_of(notice.key), notice.key, named, pack(body))


def history_row(stored: Stored, patient: Patient, notice: Notice, body: bytes, ordinal: int | None) -> HistoryRow:
    """The event as it is remembered. ``patient``: as it is now; ``ordinal``: of the input that caused it, None where
    another release did."""
    return HistoryRow(
        stored.id,
        notice.sequence,
        patient.inputs,
        notice.cause.type,
        notice.cause.id,
        ordinal,
        notice.knowledge.release,
        keys(notice.after.advised),
        *difference(notice.before.advised, notice.after.advised),
        hashlib.sha256(body).digest(),
        _number(patient.governing),
        _number(stored.patient.governing),
        None if patient.policy is Policy.NEWEST else patient.policy.value,
    )


def _number(governing: Governing | None) -> int | None:
    return None if governing is None else governing.number
