"""Everything that the store holds about one patient, as it is held."""

from typing import Any

import orjson

from schemas.serialise import to_json
from services.recommender.interpretation import Interpret, as_delivered
from services.recommender.report import events_since, patient_row, report
from services.recommender.state import Releases
from services.recommender.store import Store

_TABLES = ("patients", "results", "statements", "inbox", "history")


async def export(
    store: Store, releases: Releases, tenant: str, patient: str, interpret: Interpret = as_delivered
) -> dict[str, Any] | None:
    """The rows of every table with the current report and all events as they were published; None for a stranger."""
    async with store.snapshot() as connection:
        row = await patient_row(connection, tenant, patient)
        if row is None:
            return None
        tables = {}
        for table in _TABLES:
            named = "id" if table == "patients" else "patient_id"
            found = await connection.fetch(
                f"SELECT to_jsonb(held)::text AS held FROM {table} AS held WHERE {named} = $1 ORDER BY 1",  # noqa: S608
                row["id"],
            )
            tables[table] = [orjson.loads(one["held"]) for one in found]
        waiting = await connection.fetchval("SELECT count(*) FROM outbox WHERE key = $1", f"{tenant}/{patient}")
    now = await report(store, releases, tenant, patient, interpret)
    events = [
        orjson.Fragment(to_json(one)) async for one in events_since(store, releases, tenant, patient, 0, interpret)
    ]
    return {
        "tenant": tenant,
        "patient": patient,
        "report": None if now is None else orjson.Fragment(to_json(now)),
        "events": events,
        "not_yet_published": waiting,
        "tables": tables,
    }
