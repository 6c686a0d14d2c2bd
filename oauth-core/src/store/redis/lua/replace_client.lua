-- Replaces a client, if it is there and has this revision.
-- KEYS: the client: its record, in JSON
-- ARGV: the revision, the new record

local found = redis.call('GET', KEYS[1])
-- One that has none was never replaced.
if not found or string.format('%.0f', cjson.decode(found).revision or 0) ~= ARGV[1] then return 'other' end
redis.call('SET', KEYS[1], ARGV[2])
return 'replaced'
