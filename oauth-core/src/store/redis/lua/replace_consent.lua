-- Replaces a consent, if the one that counts has this revision.
-- KEYS: the consent: its record, its revision and its end
-- ARGV: the revision ('' for none), now; the new record, its revision, its end, when it goes

local expected, now, record, revision, expires_at, gone_at = unpack(ARGV)
local found, current = load(KEYS[1]), ''
-- One that has expired is none.
if found.revision and less(now, found.expires_at) then current = found.revision end
if current ~= expected then return 'other' end
redis.call('HSET', KEYS[1], 'record', record, 'revision', revision, 'expires_at', expires_at)
expire(KEYS[1], gone_at)
return 'replaced'
