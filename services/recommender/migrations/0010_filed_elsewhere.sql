-- Accessions that other patients of the tenant have as well, and what is done where results contradict each other.

-- What a patient was told about an accession under other patients, numbered with the results and statements.
CREATE TABLE filed_elsewhere (
    patient_id    bigint NOT NULL REFERENCES patients ON DELETE CASCADE,
    ordinal       integer NOT NULL,
    laboratory    text NOT NULL,
    accession     text NOT NULL,
    counting      smallint NOT NULL,        -- other patients under whom the result counts
    withdrawn     smallint NOT NULL,        -- and under whom it is withdrawn
    reused        boolean NOT NULL,         -- too many of them: the number does not name a sample
    cause_type    text NOT NULL,            -- what happened to the other patient
    cause_id      text NOT NULL,
    cause_version bigint,
    superseded_by integer,                  -- ordinal of its successor; null: current for the accession
    recorded      timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (patient_id, ordinal)
);

-- Who has an accession.
CREATE INDEX results_by_accession ON results (accession, laboratory, patient_id);

-- Of a tenant, or of all (*): what is done where results contradict each other. Nothing set: newest.
CREATE TABLE policies (
    tenant      text COLLATE "C" PRIMARY KEY,
    discordance text NOT NULL CHECK (discordance IN ('newest', 'block')),
    changed     timestamptz NOT NULL DEFAULT now()
);

-- The policy that an event was made under; null: newest.
ALTER TABLE history ADD COLUMN policy text;
