"""Many patients out of some: copies made by the database, with names and accessions of their own.

What is copied came through the real stages. Copies differ from their originals in pseudonym, accession and ids, so that
everything that is read of them is what it would be; only the digests in their history are the originals'.
"""

from services.recommender.store import Store

_CHUNK = 20_000
_ORIGINALS = """
CREATE TABLE originals AS
SELECT row_number() OVER (ORDER BY id) - 1 AS place, id, substr(pseudonym, 3)::int AS number FROM patients
"""
# The multiplier is prime, so that neighbours are copies of different originals.
_PATIENTS = """
INSERT INTO patients (tenant, pseudonym, sequence, inputs, activation, lookups, medications, against)
SELECT tenant, 'p-' || n, sequence, inputs, activation, lookups, medications, against
FROM generate_series($1::bigint, $2::bigint) AS n
JOIN originals ON place = (n * 7919) % (SELECT count(*) FROM originals) JOIN patients USING (id)
"""
_PAIRS = """
CREATE TEMPORARY TABLE pairs ON COMMIT DROP AS
SELECT patients.id AS copy, originals.id AS original, n, number
FROM generate_series($1::bigint, $2::bigint) AS n
JOIN originals ON place = (n * 7919) % (SELECT count(*) FROM originals)
JOIN patients ON tenant = 'bench' AND pseudonym = 'p-' || n
"""
_RESULTS = """
INSERT INTO results (patient_id, ordinal, laboratory, accession, version, status, issued, sex, event_source, event_id,
                     content_sha256, release, release_sha256, software, genotypes, phenotypes, observed, warnings)
SELECT copy, ordinal, laboratory, 'A-' || n, version, status, issued, sex, event_source, 'e-' || n,
       sha256(convert_to(n::text, 'UTF8')), release, release_sha256, software, genotypes,
       replace(phenotypes::text, '"A-' || number || '"', '"A-' || n || '"')::json, observed, warnings
FROM pairs JOIN results ON patient_id = original
"""
_STATEMENTS = """
INSERT INTO statements (patient_id, ordinal, source, statement, version, event_source, event_id, content_sha256,
                        content)
SELECT copy, ordinal, source, 'S-' || n, version, event_source, 's-' || n, sha256(convert_to(n::text, 'UTF8')),
       replace(replace(content::text, '"S-' || number || '"', '"S-' || n || '"'),
               '"p-' || number || '"', '"p-' || n || '"')::json
FROM pairs JOIN statements ON patient_id = original
"""
_INBOX = """
INSERT INTO inbox (event, cause_source, cause_id, patient_id, ordinal, sequence)
SELECT md5(n || '/' || ordinal)::uuid, cause_source, 'e-' || n || '-' || ordinal, copy, ordinal, sequence
FROM pairs JOIN inbox ON patient_id = original
"""
_HISTORY = """
INSERT INTO history (patient_id, sequence, inputs, cause_type, cause_id, ordinal, release, keys, issued, withdrawn,
                     body_sha256, activation, activation_before)
SELECT copy, sequence, inputs, cause_type, 'e-' || n || '-' || ordinal, ordinal, release, keys, issued, withdrawn,
       body_sha256, activation, activation_before
FROM pairs JOIN history ON patient_id = original
"""


async def multiply(store: Store, patients: int) -> None:
    """Copies of the stored patients until there are ``patients``."""
    await store.pool.execute(_ORIGINALS)
    have = await store.pool.fetchval("SELECT count(*) FROM originals")
    for start in range(have, patients, _CHUNK):
        async with store.pool.acquire() as connection, connection.transaction():
            bounds = (start, min(start + _CHUNK, patients) - 1)
            await connection.execute(_PATIENTS, *bounds)
            await connection.execute(_PAIRS, *bounds)
            for statement in (_RESULTS, _STATEMENTS, _INBOX, _HISTORY):
                await connection.execute(statement)
    await store.pool.execute("DROP TABLE originals")
    await store.pool.execute("VACUUM ANALYZE")
