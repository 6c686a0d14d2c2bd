-- Links to other servers (Reciprocal OAuth): the code that waits to be redeemed
-- there, and the tokens that are in use. Each part is there as a whole or not
-- at all. One row holds both, so that a step can compare both.
CREATE TABLE oauth_links (
    -- The key of the link, a digest.
    link bytea PRIMARY KEY,
    -- The link itself, in JSON.
    record text NOT NULL,
    code_id bytea,
    code_sealed bytea,
    code_attempts bigint,
    code_queued_at bigint,
    code_due_at bigint,
    code_expires_at bigint,
    tokens_id bytea,
    tokens_sealed bytea,
    -- What no step compares, in JSON.
    tokens_record text,
    tokens_ends_at bigint,
    -- Any 64 bits.
    tokens_revision bigint,
    -- When a sweep must look at it: a day after the code has ended, or when the
    -- tokens have.
    ends_at bigint NOT NULL GENERATED ALWAYS AS (
        least(
            CASE WHEN code_id IS NOT NULL THEN least(code_expires_at, 9223372036854689407) + 86400 END,
            tokens_ends_at
        )
    ) STORED
) WITH (autovacuum_vacuum_scale_factor = 0.05);

CREATE INDEX oauth_links_by_end ON oauth_links (ends_at);
CREATE INDEX oauth_links_by_due ON oauth_links (code_due_at) WHERE code_due_at IS NOT NULL;

-- Every grant that was made before it is dead: one row, or none.
CREATE TABLE oauth_epoch (
    no integer PRIMARY KEY CHECK (no = 1),
    at bigint NOT NULL
);

-- The grants of a user, in the order in which they are listed. Nothing ever
-- looked for them by the client as well.
DROP INDEX oauth_grants_by_subject;
CREATE INDEX oauth_grants_by_subject_and_id ON oauth_grants (subject, id) WHERE subject IS NOT NULL;

-- Which tokens that others verify were revoked: each by its place in its list.
CREATE TABLE oauth_statuses (
    list bigint NOT NULL,
    place integer NOT NULL,
    -- The end of the list.
    ends_at bigint NOT NULL,
    PRIMARY KEY (list, place)
) WITH (autovacuum_vacuum_scale_factor = 0.05);

CREATE INDEX oauth_statuses_by_end ON oauth_statuses (ends_at);
