-- Queues a code: LinkState::queue of store/reciprocal.rs.
-- KEYS: as link.lua says
-- ARGV: the name of the link, the code's digest; when it came, is due, ends; before when lists are cleared; its fields

local name, id, now, due_at, expires_at, stale = unpack(ARGV)
local found = load(KEYS[1])
-- What stands there already is written again: WAIT then waits for it, too.
if found.code_id == id then
  redis.call('HSET', KEYS[1], 'code_id', id)
  return 'known'
end
if found.tokens_id == id and less(now, found.tokens_ends_at) then
  redis.call('HSET', KEYS[1], 'tokens_id', id)
  return 'known'
end
redis.call('HSET', KEYS[1], unpack(ARGV, 7))
redis.call('ZADD', KEYS[2], due_at, name)
redis.call('ZADD', KEYS[3], expires_at, name)
settle(KEYS[1])
-- A few that nobody has taken, and whose links are gone.
for _, other in ipairs(redis.call('ZRANGE', KEYS[3], '-inf', stale, 'BYSCORE', 'LIMIT', 0, 16)) do
  if other ~= name then unlist(other) end
end
return 'added'
