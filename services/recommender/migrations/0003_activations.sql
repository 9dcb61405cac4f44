-- Which knowledge release governs a tenant's advice, and the view of what holds for each patient now.

-- Every activation of a release, in order: a tenant's own last one counts, else the last one for all tenants.
CREATE TABLE activations (
    number     integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    tenant     text COLLATE "C",             -- null: every tenant without an own choice
    release    text NOT NULL,
    sha256     bytea NOT NULL,
    requested  timestamptz NOT NULL DEFAULT now(),
    started    timestamptz,                  -- first look at the patients
    finished   timestamptz,                  -- every patient in its scope is governed by it or a later one
    examined   bigint NOT NULL DEFAULT 0,    -- patients that it came to govern
    recomputed bigint NOT NULL DEFAULT 0,    -- of these, evaluated one by one
    published  bigint NOT NULL DEFAULT 0     -- of these, whose advice changed
);

-- What patients are looked up with, each once: a gene's phenotypes, the effective ones included.
CREATE TABLE lookups (
    number  integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    sha256  bytea NOT NULL UNIQUE,           -- of gene and content
    gene    text COLLATE "C" NOT NULL,
    content json NOT NULL
);

-- Drugs that patients take, as they were stated, each once.
CREATE TABLE medications (
    number  integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    sha256  bytea NOT NULL UNIQUE,           -- of content
    content json NOT NULL
);

ALTER TABLE patients
    ADD COLUMN activation  integer REFERENCES activations,  -- that governs; null: none did when it was last written
    ADD COLUMN lookups     integer[],        -- numbers in lookups, one for each gene with a phenotype; null: not known
    ADD COLUMN medications integer[],        -- numbers in medications of what is taken; null: no context is known
    ADD COLUMN against     text[];           -- drugs taken although advice says to avoid them; null: none

-- What governed when an event was published, and just before it.
ALTER TABLE history
    ADD COLUMN activation        integer,
    ADD COLUMN activation_before integer;

-- What an activation publishes waits for what patients' own events publish.
ALTER TABLE outbox ADD COLUMN background boolean NOT NULL DEFAULT false;
CREATE INDEX outbox_in_background ON outbox (key) WHERE background;
