-- Grant::confirm_refresh
-- KEYS: grant, retry
-- ARGV: the access token's digest, now

local access, now = unpack(ARGV)
local grant, retry = load(KEYS[1]), load(KEYS[2])
if retry.access == access and less(now, retry['until']) and is_live(grant, now) then
  redis.call('DEL', KEYS[2])
  return 'confirmed'
end
-- Perhaps by another, just before. What stands there is written again: WAIT then waits for that, too.
if grant.refresh_used_at then redis.call('HSET', KEYS[1], 'refresh_used_at', grant.refresh_used_at) end
return 'other'
