-- Who granted what to whom. `no` keeps new rows, and the tokens that refer to
-- them, next to each other on disk: `id` is random, and only its index pays.
-- What a refresh changes is in no index, and a fifth of each page is kept free
-- for it, so that a rotation touches the row and no index (a HOT update).
-- Names are compared by their bytes: no upgrade of the system's collations
-- damages an index on them.
CREATE TABLE oauth_grants (
    no bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    id bytea NOT NULL UNIQUE,
    client text COLLATE "C" NOT NULL,
    subject text COLLATE "C",
    -- What never changes, as JSON.
    facts text NOT NULL,
    created_at bigint NOT NULL,
    expires_at bigint NOT NULL,
    -- From when on a sweep may remove the grant: not after expires_at.
    ends_at bigint NOT NULL,
    revoked_at bigint,
    code_digest bytea,
    code_redirect_uri text,
    code_redirect_uri_required boolean,
    code_challenge bytea,
    code_expires_at bigint,
    code_redeemed_at bigint,
    refresh_digest bytea,
    refresh_generation bigint,
    refresh_used_at bigint,
    retry_digest bytea,
    retry_sealed bytea,
    retry_until bigint
) WITH (fillfactor = 80, autovacuum_vacuum_scale_factor = 0.05);

CREATE INDEX oauth_grants_by_end ON oauth_grants (ends_at);
CREATE INDEX oauth_grants_by_client ON oauth_grants (client);
CREATE INDEX oauth_grants_by_subject ON oauth_grants (subject, client) WHERE subject IS NOT NULL;

-- When the retry of which grant is to go. A list for the sweep, not a
-- reference: a line may be about a retry that has gone already.
CREATE TABLE oauth_retries (
    until bigint NOT NULL,
    grant_no bigint NOT NULL,
    PRIMARY KEY (until, grant_no)
) WITH (autovacuum_vacuum_scale_factor = 0.05);

-- The primary key begins with the grant, so that it serves the foreign key too.
CREATE TABLE oauth_access_tokens (
    grant_no bigint NOT NULL REFERENCES oauth_grants (no) ON DELETE CASCADE,
    digest bytea NOT NULL,
    record text NOT NULL,
    expires_at bigint NOT NULL,
    PRIMARY KEY (grant_no, digest)
) WITH (autovacuum_vacuum_scale_factor = 0.05);

CREATE INDEX oauth_access_tokens_by_end ON oauth_access_tokens (expires_at);

CREATE TABLE oauth_clients (
    id text COLLATE "C" PRIMARY KEY,
    record text NOT NULL
);

CREATE TABLE oauth_interactions (
    id bytea PRIMARY KEY,
    browser bytea NOT NULL,
    request bytea NOT NULL,
    expires_at bigint NOT NULL
) WITH (autovacuum_vacuum_scale_factor = 0.05);

CREATE INDEX oauth_interactions_by_end ON oauth_interactions (expires_at);

-- Of nodes that insert the next key of an algorithm at once, all choose the
-- same number, and one has it.
CREATE TABLE oauth_signing_keys (
    kid text COLLATE "C" PRIMARY KEY,
    algorithm text COLLATE "C" NOT NULL,
    number bigint NOT NULL,
    sealed bytea NOT NULL,
    active_from bigint NOT NULL,
    UNIQUE (algorithm, number)
);

-- One row that a readiness probe changes, to see that the server takes writes.
CREATE TABLE oauth_probe (
    no integer PRIMARY KEY CHECK (no = 1),
    count bigint NOT NULL
) WITH (fillfactor = 50);
