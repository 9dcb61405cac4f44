-- What is done where results contradict each other, and who else has an accession.

-- Who has an accession: asked when a patient is read.
CREATE INDEX results_by_accession ON results (accession, laboratory, patient_id);

-- Of a tenant, or of all (*): what is done where results contradict each other. Nothing set: newest.
CREATE TABLE policies (
    tenant      text COLLATE "C" PRIMARY KEY,
    discordance text NOT NULL CHECK (discordance IN ('newest', 'block')),
    changed     timestamptz NOT NULL DEFAULT now()
);

-- The policy that an event was made under; null: newest.
ALTER TABLE history ADD COLUMN policy text;
