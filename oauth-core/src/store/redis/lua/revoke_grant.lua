-- Grant::revoke
-- KEYS: grant, retry
-- ARGV: now

local grant = load(KEYS[1])
if not grant.expires_at then return 'unknown' end
revoke(KEYS[1], KEYS[2], grant, ARGV[1])
if grant.revoked_at then return 'already' end
return 'revoked'
