"""Erasure of a patient: gone from the store at once, a tombstone on the topic, and nothing old brings it back."""

from datetime import UTC, datetime
from uuid import NAMESPACE_URL, uuid5

import orjson

from schemas.cloudevents import headers_of
from schemas.topics import RECOMMENDATION
from services.recommender.interpretation import as_delivered
from services.recommender.lanes import lane_of
from services.recommender.publication import SOURCE
from services.recommender.store import Store
from services.recommender.store.erasures import add
from services.recommender.store.rows import OutboxRow

_ERASE = "DELETE FROM patients WHERE id = $1"
_WAITING = "DELETE FROM outbox WHERE key = $1"


async def erase(store: Store, tenant: str, patient: str, at: datetime | None = None) -> bool:
    """Erase a patient; whether anything was known. ``at``: what was published up to then stays suppressed; None: now.

    Hospitals get a tombstone in the patient's order: after what had been published, before what comes later.
    """
    async with store.transaction() as unit:
        await unit.lock([(tenant, patient)], as_delivered)
        erased = unit.locked.pop((tenant, patient))
        known = erased.patient.inputs > 0
        now = datetime.now(UTC)
        await unit.connection.execute(_WAITING, f"{tenant}/{patient}")
        await unit.connection.execute(_ERASE, erased.id)
        await add(unit.connection, (tenant, patient), at or now)
        if known:
            unit.outbox.append(_tombstone(tenant, patient, now))
        await unit.save()
    return known


def _tombstone(tenant: str, patient: str, now: datetime) -> OutboxRow:
    key = f"{tenant}/{patient}"
    id_ = str(uuid5(NAMESPACE_URL, f"erasure/{key}/{now.isoformat()}"))
    headers = headers_of(RECOMMENDATION, id=id_, source=SOURCE, time=_written(now))
    named = orjson.dumps([[name, value.decode()] for name, value in headers]).decode()
    return OutboxRow(lane_of(key), key, named, None)


def _written(instant: datetime) -> str:
    return instant.isoformat(timespec="milliseconds").replace("+00:00", "Z")
