-- Inserts a grant, with its first access token and its retry if it has them.
-- KEYS: grant, retry, access token, and the mark that voids the claim it rests on, if it rests on one
-- ARGV: when the grant goes; access record ('' for none), when it goes; retry's digest ('' for none), sealed response,
--       end, when it goes, the access token that ends it ('' for none); then the fields of the grant

local gone_at, access, access_gone_at, digest, sealed, retry_until, retry_gone_at, used = unpack(ARGV, 1, 8)
if KEYS[4] and redis.call('EXISTS', KEYS[4]) == 1 then return 'void' end
if redis.call('EXISTS', KEYS[1]) == 1 then return 'conflict' end
redis.call('HSET', KEYS[1], unpack(ARGV, 9))
expire(KEYS[1], gone_at)
if digest ~= '' then
  redis.call('HSET', KEYS[2], 'digest', digest, 'sealed', sealed, 'until', retry_until)
  if used ~= '' then redis.call('HSET', KEYS[2], 'access', used) end
  expire(KEYS[2], retry_gone_at)
end
if access ~= '' then keep_access(KEYS[3], access, access_gone_at) end
return 'inserted'
