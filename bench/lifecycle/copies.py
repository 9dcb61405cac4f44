"""Many patients out of some: copies made by the database, with names and accessions of their own.

What is copied came through the real stages. Copies differ from their originals in pseudonym, accession and ids, so that
everything that is read of them is what it would be; only the digests in their history are the originals'.
"""

import asyncio
from collections.abc import Iterator

from services.recommender.store import Store

_CHUNK = 10_000
_SIDE_BY_SIDE = 2
"""Connections that copy."""
_TABLES = ("patients", "results", "statements", "inbox", "history")
# Copied from tables of the originals alone, so that the last copies cost no more than the first.
_ORIGINALS = """
CREATE UNLOGGED TABLE original_patients AS
SELECT row_number() OVER (ORDER BY id) - 1 AS place, substr(pseudonym, 3)::int AS number, * FROM patients
"""
_ORIGINAL = "CREATE UNLOGGED TABLE original_{table} AS SELECT * FROM {table}"
# The multiplier is prime, so that neighbours are copies of different originals.
_PAIRS = """
CREATE TEMPORARY TABLE pairs ON COMMIT DROP AS
SELECT nextval(pg_get_serial_sequence('patients', 'id')) AS copy, id AS original, n, number
FROM generate_series($1::bigint, $2::bigint) AS n
JOIN original_patients ON place = (n * 7919) % (SELECT count(*) FROM original_patients)
ORDER BY n
"""
_PATIENTS = """
INSERT INTO patients (id, tenant, pseudonym, sequence, inputs, activation, lookups, medications, against)
OVERRIDING SYSTEM VALUE
SELECT copy, tenant, 'p-' || n, sequence, inputs, activation, lookups, medications, against
FROM pairs JOIN original_patients ON id = original ORDER BY copy
"""
_RESULTS = """
INSERT INTO results (patient_id, ordinal, laboratory, accession, version, status, issued, sex, event_source, event_id,
                     content_sha256, release, release_sha256, software, genotypes, phenotypes, observed, warnings)
SELECT copy, ordinal, laboratory, 'A-' || n, version, status, issued, sex, event_source, 'e-' || n,
       sha256(convert_to(n::text, 'UTF8')), release, release_sha256, software, genotypes,
       replace(phenotypes::text, '"A-' || number || '"', '"A-' || n || '"')::json, observed, warnings
FROM pairs JOIN original_results ON patient_id = original ORDER BY copy
"""
_STATEMENTS = """
INSERT INTO statements (patient_id, ordinal, source, statement, version, event_source, event_id, content_sha256,
                        content)
SELECT copy, ordinal, source, 'S-' || n, version, event_source, 's-' || n, sha256(convert_to(n::text, 'UTF8')),
       replace(replace(content::text, '"S-' || number || '"', '"S-' || n || '"'),
               '"p-' || number || '"', '"p-' || n || '"')::json
FROM pairs JOIN original_statements ON patient_id = original ORDER BY copy
"""
_INBOX = """
INSERT INTO inbox (event, cause_source, cause_id, patient_id, ordinal, sequence)
SELECT md5(n || '/' || ordinal)::uuid, cause_source, 'e-' || n || '-' || ordinal, copy, ordinal, sequence
FROM pairs JOIN original_inbox ON patient_id = original ORDER BY copy
"""
_HISTORY = """
INSERT INTO history (patient_id, sequence, inputs, cause_type, cause_id, ordinal, release, keys, issued, withdrawn,
                     body_sha256, activation, activation_before)
SELECT copy, sequence, inputs, cause_type, 'e-' || n || '-' || ordinal, ordinal, release, keys, issued, withdrawn,
       body_sha256, activation, activation_before
FROM pairs JOIN original_history ON patient_id = original ORDER BY copy
"""


async def multiply(store: Store, patients: int) -> None:
    """Copies of the stored patients until there are ``patients``. The database's user is a superuser."""
    await store.pool.execute(_ORIGINALS)
    for table in _TABLES[1:]:
        await store.pool.execute(_ORIGINAL.format(table=table))
    await store.pool.execute("ANALYZE")
    chunks = iter(range(await store.pool.fetchval("SELECT count(*) FROM patients"), patients, _CHUNK))
    await asyncio.gather(*(_copy(store, chunks, patients) for _ in range(_SIDE_BY_SIDE)))
    for table in _TABLES:
        await store.pool.execute(f"DROP TABLE original_{table}")
    # So that what this leaves to be done is not done beside what is measured.
    await store.pool.execute("VACUUM ANALYZE")
    await store.pool.execute("CHECKPOINT")


async def _copy(store: Store, chunks: Iterator[int], patients: int) -> None:
    for start in chunks:
        async with store.pool.acquire() as connection, connection.transaction():
            await connection.execute("SET LOCAL synchronous_commit TO off")
            await connection.execute(_PAIRS, start, min(start + _CHUNK, patients) - 1)
            for statement in (_PATIENTS, _RESULTS, _STATEMENTS, _INBOX, _HISTORY):
                await connection.execute(statement)
