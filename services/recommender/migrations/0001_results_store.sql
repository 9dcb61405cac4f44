-- The results store. Facts and rule ids only: texts are rendered from the knowledge release when they are read.

-- One row for each patient; its lock makes one writer at a time for everything below.
CREATE TABLE patients (
    id        bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    tenant    text COLLATE "C" NOT NULL,
    pseudonym text COLLATE "C" NOT NULL,
    sequence  integer NOT NULL DEFAULT 0,   -- of the last recommendation event
    inputs    integer NOT NULL DEFAULT 0,   -- accepted so far; the last ordinal in results
    created   timestamptz NOT NULL DEFAULT now(),
    UNIQUE (tenant, pseudonym)
) WITH (fillfactor = 85);
CREATE INDEX patients_by_pseudonym ON patients (pseudonym);

-- Every accepted delivery of a laboratory result, under the release its genes were called with, in order of acceptance.
-- The patient's state is a pure function of these rows.
CREATE TABLE results (
    patient_id     bigint NOT NULL REFERENCES patients ON DELETE CASCADE,
    ordinal        integer NOT NULL,
    laboratory     text NOT NULL,
    accession      text NOT NULL,
    version        bigint NOT NULL,
    status         text NOT NULL,
    issued         timestamptz NOT NULL,
    sex            text NOT NULL,
    event_source   text NOT NULL,           -- the laboratory's event that brought it first
    event_id       text NOT NULL,
    content_sha256 bytea NOT NULL,          -- of the laboratory result's canonical content
    release        text NOT NULL,
    release_sha256 bytea NOT NULL,
    software       text NOT NULL,
    superseded_by  integer,                 -- ordinal of its successor; null: current for its accession
    genotypes      json NOT NULL,
    phenotypes     json NOT NULL,
    observed       json NOT NULL,           -- rows at definition positions, for new allele definitions
    warnings       json,
    recorded       timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (patient_id, ordinal)
);

-- Every event handled, so that a redelivery has no effect and a laboratory's event can be followed.
CREATE TABLE inbox (
    event        uuid PRIMARY KEY,
    cause_source text NOT NULL,
    cause_id     text NOT NULL,
    patient_id   bigint NOT NULL,
    ordinal      integer NOT NULL,          -- the result it brought, or that was known already
    sequence     integer,                   -- the recommendation event it made; null: nothing changed
    FOREIGN KEY (patient_id, ordinal) REFERENCES results ON DELETE CASCADE
);
CREATE INDEX inbox_by_cause ON inbox (cause_id);
CREATE INDEX inbox_by_result ON inbox (patient_id, ordinal);

-- Ids of guideline rules, each once: history has hundreds in a row.
CREATE TABLE rules (
    number integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    rule   text COLLATE "C" NOT NULL UNIQUE
);

-- One row for each published event, never changed. Rules are kept as the difference from the event before.
CREATE TABLE history (
    patient_id  bigint NOT NULL REFERENCES patients ON DELETE CASCADE,
    sequence    integer NOT NULL,
    inputs      integer NOT NULL,           -- results with an ordinal up to this one were known
    cause_type  text NOT NULL,
    cause_id    text NOT NULL,
    ordinal     integer,                    -- the result that caused it
    release     text NOT NULL,
    keys        json NOT NULL,              -- {gene: [what the patient was looked up with, …]}
    issued      integer[] NOT NULL,         -- numbers of the rules that came
    withdrawn   integer[] NOT NULL,         -- and went
    body_sha256 bytea NOT NULL,             -- of the value as published
    recorded    timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (patient_id, sequence)
);

-- Events to be published, in order for each lane; a row goes when the brokers have confirmed it.
CREATE TABLE outbox (
    id       bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    lane     smallint NOT NULL,             -- by the patient's key: one relay at a time for each
    key      text NOT NULL,
    headers  json NOT NULL,
    body     bytea NOT NULL,                -- packed: services/recommender/body.py
    recorded timestamptz NOT NULL DEFAULT now()
) WITH (autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 2000);
ALTER TABLE outbox ALTER COLUMN body SET STORAGE EXTERNAL;
