-- Statements of clinical context beside the laboratory results. Both are numbered together for each patient.

-- Every accepted statement, in order of acceptance.
CREATE TABLE statements (
    patient_id     bigint NOT NULL REFERENCES patients ON DELETE CASCADE,
    ordinal        integer NOT NULL,
    source         text NOT NULL,
    statement      text NOT NULL,
    version        bigint NOT NULL,
    event_source   text NOT NULL,           -- the hospital's event that brought it first
    event_id       text NOT NULL,
    content_sha256 bytea NOT NULL,          -- of the statement's canonical content
    superseded_by  integer,                 -- ordinal of its successor; null: current for its document
    content        json NOT NULL,
    recorded       timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (patient_id, ordinal)
);

-- What an event brought is a result or a statement.
ALTER TABLE inbox DROP CONSTRAINT inbox_patient_id_ordinal_fkey;
ALTER TABLE inbox ADD FOREIGN KEY (patient_id) REFERENCES patients ON DELETE CASCADE;
