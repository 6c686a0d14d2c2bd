-- Takes the code of a link, if it is due: LinkState::take.
-- KEYS: as link.lua says
-- ARGV: the name of the link, now, when it is due again

local name, now, until_then = unpack(ARGV)
local found = load(KEYS[1])
if not found.code_id then
  unlist(name)
  return {'gone'}
end
if less(now, found.code_due_at) then return {'early'} end
local attempts = found.code_attempts
if attempts ~= '4294967295' then attempts = successor(attempts) end
redis.call('HSET', KEYS[1], 'code_attempts', attempts, 'code_due_at', until_then)
redis.call('ZADD', KEYS[2], until_then, name)
return {'taken', redis.call('HGETALL', KEYS[1])}
