-- Adds a grant to the list of its user, before it is there itself. A line says the grant's id, in 16 bytes, when it was
-- written, and when the grant goes. Lines of grants that are gone are looked for here, two at a time, so that the list
-- grows no longer than twice what it should be.
-- KEYS: the list
-- ARGV: the grant's id, when it goes

local id, gone_at = unpack(ARGV)
local now = redis.call('TIME')[1]
local listed = redis.call('EXISTS', KEYS[1]) == 1
if listed then
  for _, line in ipairs(redis.call('ZRANDMEMBER', KEYS[1], 2)) do
    local gone = string.match(string.sub(line, 17), '^%d+ (%d+)$')
    if gone and less(gone, now) then redis.call('ZREM', KEYS[1], line) end
  end
end
redis.call('ZADD', KEYS[1], 0, id .. now .. ' ' .. gone_at)
if gone_at == '' then
  redis.call('PERSIST', KEYS[1])
elseif listed then
  -- It may have been emptied just now, and begun anew: then it has no time yet, and is as one without end.
  if redis.call('ZCARD', KEYS[1]) == 1 then
    redis.call('EXPIREAT', KEYS[1], gone_at)
  else
    redis.call('EXPIREAT', KEYS[1], gone_at, 'GT')
  end
else
  redis.call('EXPIREAT', KEYS[1], gone_at)
end
return 'listed'
