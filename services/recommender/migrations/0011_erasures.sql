-- Erasure of patients, so that it lasts: what is delivered again about an erased patient has no effect.

-- The key that pseudonyms of erased patients are hashed with; made here, known to this store alone.
CREATE TABLE erasure_key (
    single boolean PRIMARY KEY DEFAULT true CHECK (single),
    key    bytea NOT NULL
);
INSERT INTO erasure_key (key) VALUES (sha256(convert_to(gen_random_uuid()::text || gen_random_uuid()::text, 'UTF8')));

-- Whom: nothing that was said about the patient up to then counts any more.
CREATE TABLE erasures (
    patient bytea PRIMARY KEY,              -- keyed hash of tenant and pseudonym
    erased  timestamptz NOT NULL
);

-- A row without a body takes the key off the topic.
ALTER TABLE outbox ALTER COLUMN body DROP NOT NULL;
