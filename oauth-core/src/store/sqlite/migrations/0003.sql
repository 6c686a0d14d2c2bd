-- What people have agreed to: the record, in JSON, and beside it what a step
-- compares.
CREATE TABLE oauth_consents (
    subject TEXT NOT NULL,
    client TEXT NOT NULL,
    record TEXT NOT NULL,
    -- Any 64 bits.
    revision INTEGER NOT NULL,
    expires_at INTEGER NOT NULL,
    PRIMARY KEY (subject, client)
) STRICT, WITHOUT ROWID;

CREATE INDEX oauth_consents_by_client ON oauth_consents (client);
CREATE INDEX oauth_consents_by_end ON oauth_consents (expires_at);
