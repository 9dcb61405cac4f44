"""Erasure of a patient: gone from the store at once, a tombstone on the topic, and nothing old brings it back."""

from datetime import UTC, datetime
from uuid import NAMESPACE_URL, uuid5

import orjson

from schemas.cloudevents import headers_of
from schemas.recommendation import Cause
from schemas.topics import RECOMMENDATION
from services.recommender.body import body_of
from services.recommender.filing import Filing
from services.recommender.interpretation import Interpret, as_delivered
from services.recommender.lanes import lane_of
from services.recommender.misfiled import Notice
from services.recommender.patient import Releases
from services.recommender.publication import SOURCE, history_row, outbox_row
from services.recommender.store import Store
from services.recommender.store.erasures import add
from services.recommender.store.rows import NoticeRow, OutboxRow
from services.recommender.store.unit import Stored, Unit

ERASURE = "erasure"
"""Type of the cause of events that other patients of an accession get."""

_FILED = """
SELECT DISTINCT tenant, laboratory, accession FROM results JOIN patients ON patients.id = results.patient_id
WHERE tenant = $1 AND pseudonym = $2
"""
_ERASE = "DELETE FROM patients WHERE id = $1"
_WAITING = "DELETE FROM outbox WHERE key = $1"


async def erase(
    store: Store,
    releases: Releases,
    tenant: str,
    patient: str,
    at: datetime | None = None,
    interpret: Interpret = as_delivered,
) -> bool:
    """Erase a patient; whether anything was known. ``at``: what was published up to then stays suppressed; None: now.

    Hospitals get a tombstone in the patient's order: after what had been published, before what comes later. Other
    patients that have one of the accessions hear that this one has it no more.
    """
    async with store.transaction() as unit:
        filed = {tuple(row) for row in await unit.connection.fetch(_FILED, tenant, patient)}
        filing = Filing(await unit.claim(filed))
        others = set(filing.patients()) - {(tenant, patient)}
        await unit.lock({(tenant, patient), *others}, interpret)
        erased = unit.locked.pop((tenant, patient))
        known = erased.patient.inputs > 0
        now = datetime.now(UTC)
        await unit.connection.execute(_WAITING, f"{tenant}/{patient}")
        await unit.connection.execute(_ERASE, erased.id)
        await add(unit.connection, (tenant, patient), at or now)
        if known:
            unit.outbox.append(_tombstone(tenant, patient, now))
        await _tell(unit, releases, filing, (tenant, patient), now)
        await unit.save()
    return known


def _tombstone(tenant: str, patient: str, now: datetime) -> OutboxRow:
    key = f"{tenant}/{patient}"
    id_ = str(uuid5(NAMESPACE_URL, f"{ERASURE}/{key}/{now.isoformat()}"))
    headers = headers_of(RECOMMENDATION, id=id_, source=SOURCE, time=_written(now))
    named = orjson.dumps([[name, value.decode()] for name, value in headers]).decode()
    return OutboxRow(lane_of(key), key, named, None)


async def _tell(unit: Unit, releases: Releases, filing: Filing, erased: tuple[str, str], now: datetime) -> None:
    """Others that have an accession of the erased patient."""
    patients = await unit.patients(list(unit.locked))
    for filed in filing.known():
        tenant, *accession = filed
        others = filing.others(filed, erased[1])
        withdrawn = {
            other: patients[tenant, other].patient.current[accession[0], accession[1]].delivery.result.status.withdrawn
            for other in others
        }
        left = Filing({filed: others})
        for other in others:
            id_ = str(uuid5(NAMESPACE_URL, f"{ERASURE}/{'/'.join(filed)}/{other}/{now.isoformat()}"))
            cause = Cause(type=ERASURE, id=id_, accession=filed[2])
            notice = Notice(left.elsewhere(filed, other, withdrawn.__getitem__), cause)
            _take_in(unit, patients[tenant, other], notice, releases, now)


def _take_in(unit: Unit, stored: Stored, notice: Notice, releases: Releases, now: datetime) -> None:
    step = stored.patient.accept_notice(notice, releases)
    if not step.new:
        return
    unit.notices.append(NoticeRow.of(stored.id, step.ordinal, notice))
    if step.superseded is not None:
        unit.supersede(stored.id, *step.superseded)
    if step.event is not None:
        body = body_of(step.event, step.rows)
        unit.history.append(history_row(stored, step, step.event, body, step.ordinal))
        unit.outbox.append(outbox_row(step.event, body, notice.cause.id, _written(now)))
    stored.patient = step.patient


def _written(instant: datetime) -> str:
    return instant.isoformat(timespec="milliseconds").replace("+00:00", "Z")
