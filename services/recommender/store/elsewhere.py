"""Who else has a patient's accessions, as the store has it now."""

from collections import defaultdict
from collections.abc import Sequence
from typing import Any

from schemas.lab_result import Status
from services.recommender.merging import Accession
from services.recommender.misfiled import MOST_OTHERS, Elsewhere

# Of each accession a patient has one row that counts, so that there is one row here for each other patient.
_ELSEWHERE = f"""
SELECT own.patient_id, own.laboratory, own.accession, other.status
FROM results AS own JOIN patients ON patients.id = own.patient_id
CROSS JOIN LATERAL (
    SELECT results.status FROM results JOIN patients AS holder ON holder.id = results.patient_id
    WHERE results.accession = own.accession AND results.laboratory = own.laboratory
      AND results.patient_id <> own.patient_id AND results.superseded_by IS NULL AND holder.tenant = patients.tenant
    LIMIT {MOST_OTHERS + 1}
) AS other
WHERE own.patient_id = ANY ($1::bigint[]) AND patients.id = ANY ($1::bigint[]) AND own.superseded_by IS NULL
"""  # noqa: S608 - a constant


async def elsewhere(connection: Any, patients: Sequence[int]) -> dict[int, Elsewhere]:
    """For each of these patients (by number of the row) what others of the tenant have of the same accessions.

    One query, by index. Patients that share nothing are left out.
    """
    found: defaultdict[int, defaultdict[Accession, list[Status]]] = defaultdict(lambda: defaultdict(list))
    for row in await connection.fetch(_ELSEWHERE, patients):
        found[row["patient_id"]][row["laboratory"], row["accession"]].append(Status(row["status"]))
    return dict(found)
