-- What people have agreed to: the record, in JSON, and beside it what a step
-- compares.
CREATE TABLE oauth_consents (
    subject text COLLATE "C" NOT NULL,
    client text COLLATE "C" NOT NULL,
    record text NOT NULL,
    -- Any 64 bits.
    revision bigint NOT NULL,
    expires_at bigint NOT NULL,
    PRIMARY KEY (subject, client)
) WITH (autovacuum_vacuum_scale_factor = 0.05);

CREATE INDEX oauth_consents_by_client ON oauth_consents (client);
CREATE INDEX oauth_consents_by_end ON oauth_consents (expires_at);
