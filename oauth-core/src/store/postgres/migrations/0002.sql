-- What has been used, until when that counts, and how often. Counting touches
-- the row and no index.
CREATE TABLE oauth_uses (
    digest bytea PRIMARY KEY,
    count bigint NOT NULL,
    ends_at bigint NOT NULL
) WITH (fillfactor = 80, autovacuum_vacuum_scale_factor = 0.05);

CREATE INDEX oauth_uses_by_end ON oauth_uses (ends_at);
