-- Ends a code: LinkState::finish.
-- KEYS: as link.lua says
-- ARGV: the name of the link, the code's digest, the fields of new tokens if there are any

local name, id = unpack(ARGV)
local found = load(KEYS[1])
if found.code_id ~= id then
  if found.tokens_id ~= id then return {'superseded'} end
  -- What stands there already is written again: WAIT then waits for it, too.
  redis.call('HSET', KEYS[1], 'tokens_id', id)
  return {'already'}
end
local before = {}
if ARGV[3] then
  before = redis.call('HGETALL', KEYS[1])
  redis.call('HSET', KEYS[1], unpack(ARGV, 3))
end
redis.call('HDEL', KEYS[1], unpack(CODE))
unlist(name)
settle(KEYS[1])
return {'replaced', before}
