-- Grant::rotate_refresh
-- KEYS: grant, retry, access token
-- ARGV: token's digest, generation, client, now, the last use that is too long ago ('' if none can be), successor's
--       digest ('' for none), sealed response, end of the retry ('' for none), when it goes, the access
--       token that ends it ('' for none), access record, when it goes

local digest, generation, client, now, idle, next, sealed, retry_until, retry_gone_at, used, access, access_gone_at =
  unpack(ARGV)
local grant = load(KEYS[1])
if not is_live(grant, now) or grant.client ~= client or not grant.refresh_digest then return { 'refused' } end

-- Refresh::advance
if not less(generation, grant.refresh_generation) then
  local too_late = idle ~= '' and not less(idle, grant.refresh_used_at)
  if grant.refresh_digest ~= digest or too_late then return { 'refused' } end
  redis.call('HSET', KEYS[1], 'refresh_used_at', now)
  redis.call('DEL', KEYS[2])
  if next ~= '' then
    redis.call('HSET', KEYS[1], 'refresh_digest', next, 'refresh_generation', successor(grant.refresh_generation))
    if retry_until ~= '' then
      redis.call('HSET', KEYS[2], 'digest', digest, 'sealed', sealed, 'until', retry_until)
      if used ~= '' then redis.call('HSET', KEYS[2], 'access', used) end
      expire(KEYS[2], retry_gone_at)
    end
  end
  keep_access(KEYS[3], access, access_gone_at)
  return { 'rotated' }
end

-- Refresh::retry_for
local retry = load(KEYS[2])
if retry.digest == digest and less(now, retry['until']) then
  -- What the first answer rests on is written again: WAIT then waits for it, too.
  redis.call('HSET', KEYS[1], 'refresh_used_at', grant.refresh_used_at)
  return { 'retry', retry.sealed }
end

revoke(KEYS[1], KEYS[2], grant, now)
return { 'reused' }
