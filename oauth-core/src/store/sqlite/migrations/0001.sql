-- Who granted what to whom. `no` keeps new rows, and the tokens that refer to
-- them, next to each other on disk: `id` is random, and only its index pays.
CREATE TABLE oauth_grants (
    no INTEGER PRIMARY KEY,
    id BLOB NOT NULL UNIQUE,
    client TEXT NOT NULL,
    subject TEXT,
    -- What never changes, as JSON.
    facts TEXT NOT NULL,
    created_at INTEGER NOT NULL,
    expires_at INTEGER NOT NULL,
    -- From when on a sweep may remove the grant: not after expires_at.
    ends_at INTEGER NOT NULL,
    revoked_at INTEGER,
    code_digest BLOB,
    code_redirect_uri TEXT,
    code_redirect_uri_required INTEGER,
    code_challenge BLOB,
    code_expires_at INTEGER,
    code_redeemed_at INTEGER,
    refresh_digest BLOB,
    refresh_generation INTEGER,
    refresh_used_at INTEGER,
    retry_digest BLOB,
    retry_sealed BLOB,
    retry_until INTEGER
) STRICT;

CREATE INDEX oauth_grants_by_end ON oauth_grants (ends_at);
CREATE INDEX oauth_grants_by_client ON oauth_grants (client);
CREATE INDEX oauth_grants_by_subject ON oauth_grants (subject, client) WHERE subject IS NOT NULL;
CREATE INDEX oauth_grants_by_retry ON oauth_grants (retry_until) WHERE retry_until IS NOT NULL;

-- The primary key begins with the grant, so that it serves the foreign key too.
CREATE TABLE oauth_access_tokens (
    grant_no INTEGER NOT NULL REFERENCES oauth_grants (no) ON DELETE CASCADE,
    digest BLOB NOT NULL,
    record TEXT NOT NULL,
    expires_at INTEGER NOT NULL,
    PRIMARY KEY (grant_no, digest)
) STRICT, WITHOUT ROWID;

CREATE INDEX oauth_access_tokens_by_end ON oauth_access_tokens (expires_at);

CREATE TABLE oauth_clients (
    id TEXT NOT NULL PRIMARY KEY,
    record TEXT NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE oauth_interactions (
    id BLOB NOT NULL PRIMARY KEY,
    browser BLOB NOT NULL,
    request BLOB NOT NULL,
    expires_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE INDEX oauth_interactions_by_end ON oauth_interactions (expires_at);

CREATE TABLE oauth_signing_keys (
    kid TEXT NOT NULL PRIMARY KEY,
    algorithm TEXT NOT NULL,
    sealed BLOB NOT NULL,
    active_from INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

-- One row that a readiness probe changes, to see that the disk still takes it.
CREATE TABLE oauth_probe (
    no INTEGER PRIMARY KEY CHECK (no = 1),
    count INTEGER NOT NULL
) STRICT;
