-- What has been used, until when that counts, and how often.
CREATE TABLE oauth_uses (
    digest BLOB NOT NULL PRIMARY KEY,
    count INTEGER NOT NULL,
    ends_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE INDEX oauth_uses_by_end ON oauth_uses (ends_at);
