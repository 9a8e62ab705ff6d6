-- Format 2: which slots are in this database.

ALTER TABLE store
    ADD COLUMN first_slot int4 NOT NULL DEFAULT 0,
    ADD COLUMN last_slot int4 NOT NULL DEFAULT 4095;
