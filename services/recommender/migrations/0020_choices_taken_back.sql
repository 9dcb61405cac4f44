-- A tenant that gives its own choice of release up, and follows the choice for all again.

ALTER TABLE activations
    ADD COLUMN follows boolean NOT NULL DEFAULT false, -- the choice for all as it was then; a later one counts as well
    ADD CHECK (tenant IS NOT NULL OR NOT follows);
