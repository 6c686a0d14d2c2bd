-- Links to other servers (Reciprocal OAuth): the code that waits to be redeemed
-- there, and the tokens that are in use. Each part is there as a whole or not
-- at all.
CREATE TABLE oauth_links (
    -- The key of the link, a digest.
    link BLOB PRIMARY KEY,
    -- The link itself, in JSON.
    record TEXT NOT NULL,
    code_id BLOB,
    code_sealed BLOB,
    code_attempts INTEGER,
    code_queued_at INTEGER,
    code_due_at INTEGER,
    code_expires_at INTEGER,
    tokens_id BLOB,
    tokens_sealed BLOB,
    -- What no step compares, in JSON.
    tokens_record TEXT,
    tokens_ends_at INTEGER,
    -- Any 64 bits.
    tokens_revision INTEGER,
    -- When a sweep must look at it: a day after the code has ended, or when the
    -- tokens have.
    ends_at INTEGER NOT NULL GENERATED ALWAYS AS (min(
        coalesce(min(code_expires_at, 9223372036854689407) + 86400, 9223372036854775807),
        coalesce(tokens_ends_at, 9223372036854775807)
    )) STORED
) STRICT, WITHOUT ROWID;

CREATE INDEX oauth_links_by_end ON oauth_links (ends_at);
CREATE INDEX oauth_links_by_due ON oauth_links (code_due_at) WHERE code_due_at IS NOT NULL;

-- Every grant that was made before it is dead: one row, or none.
CREATE TABLE oauth_epoch (
    no INTEGER PRIMARY KEY CHECK (no = 1),
    at INTEGER NOT NULL
) STRICT;

-- The grants of a user, in the order in which they are listed. Nothing ever
-- looked for them by the client as well.
DROP INDEX oauth_grants_by_subject;
CREATE INDEX oauth_grants_by_subject_and_id ON oauth_grants (subject, id) WHERE subject IS NOT NULL;

-- Which tokens that others verify were revoked: each by its place in its list.
CREATE TABLE oauth_statuses (
    list INTEGER NOT NULL,
    place INTEGER NOT NULL,
    -- The end of the list.
    ends_at INTEGER NOT NULL,
    PRIMARY KEY (list, place)
) STRICT, WITHOUT ROWID;

CREATE INDEX oauth_statuses_by_end ON oauth_statuses (ends_at);
