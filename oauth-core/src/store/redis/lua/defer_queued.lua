-- Sets when a code is due: LinkState::defer.
-- KEYS: as link.lua says
-- ARGV: the name of the link, the code's digest, when it is due

local name, id, due_at = unpack(ARGV)
if load(KEYS[1]).code_id ~= id then return 'other' end
redis.call('HSET', KEYS[1], 'code_due_at', due_at)
redis.call('ZADD', KEYS[2], due_at, name)
return 'deferred'
