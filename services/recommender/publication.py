"""A recommendation event as the store keeps it: its row of history, and its place in the outbox."""

import hashlib
from typing import Protocol

import orjson

from schemas.cloudevents import MAX_VALUE_BYTES, headers_of, key_of
from schemas.errors import Code, Rejected
from schemas.recommendation import RecommendationsChanged
from schemas.topics import RECOMMENDATION
from services.recommender.body import pack
from services.recommender.discordance import Policy
from services.recommender.interpretation import Governing
from services.recommender.lanes import lane_of
from services.recommender.patient import Patient
from services.recommender.state import State
from services.recommender.store.rows import HistoryRow, OutboxRow, difference, keys
from services.recommender.store.unit import Stored

SOURCE = "/pgx/recommender"


class Step(Protocol):
    """What an input, or another release, did to a patient."""

    @property
    def patient(self) -> Patient:
        """As it is now."""

    @property
    def before(self) -> State:
        """What was known and advised before."""

    @property
    def after(self) -> State:
        """What is now."""


def outbox_row(
    event: RecommendationsChanged, body: bytes, id_: str, time: str, traceparent: str | None = None
) -> OutboxRow:
    """The event as it is to be published. Raises Rejected(OUTPUT_TOO_LARGE)."""
    if len(body) > MAX_VALUE_BYTES:
        raise Rejected(
            Code.OUTPUT_TOO_LARGE, f"{len(body):,} bytes of recommendations; at most {MAX_VALUE_BYTES:,} are published"
        )
    headers = headers_of(RECOMMENDATION, id=id_, source=SOURCE, time=time, traceparent=traceparent)
    key = key_of(event)
    named = orjson.dumps([[name, value.decode()] for name, value in headers]).decode()
    return OutboxRow(lane_of(key), key, named, pack(body))


def history_row(
    stored: Stored, step: Step, event: RecommendationsChanged, body: bytes, ordinal: int | None
) -> HistoryRow:
    """The event as it is remembered. ``ordinal``: of the input that caused it; None: another release did."""
    return HistoryRow(
        stored.id,
        event.sequence,
        step.patient.inputs,
        event.cause.type,
        event.cause.id,
        ordinal,
        event.knowledge.release,
        keys(step.after.recommendations),
        *difference(step.before.recommendations, step.after.recommendations),
        hashlib.sha256(body).digest(),
        _number(step.patient.governing),
        _number(stored.patient.governing),
        None if step.patient.policy is Policy.NEWEST else step.patient.policy.value,
    )


def _number(governing: Governing | None) -> int | None:
    return None if governing is None else governing.number
