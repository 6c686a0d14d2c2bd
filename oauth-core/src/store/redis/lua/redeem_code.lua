-- Grant::redeem_code
-- KEYS: grant, retry, access token
-- ARGV: code's digest, client, redirect URI with a '=' before it ('' for none), challenge ('' for none), now, refresh
--       token's digest ('' for none), access record, when it goes

local digest, client, redirect, challenge, now, refresh, access, access_gone_at = unpack(ARGV)
local grant = load(KEYS[1])
if not grant.code_digest then return 'refused' end

local same_uri = redirect == '=' .. grant.code_redirect_uri
if redirect == '' then same_uri = grant.code_redirect_uri_required == '0' end
local answered = grant.code_digest == digest and same_uri and (grant.code_challenge or '') == challenge
if grant.client ~= client or not answered then return 'refused' end

if grant.code_redeemed_at then
  revoke(KEYS[1], KEYS[2], grant, now)
  return 'replayed'
end
if not less(now, grant.code_expires_at) or not is_live(grant, now) then return 'refused' end

redis.call('HSET', KEYS[1], 'code_redeemed_at', now)
redis.call('DEL', KEYS[2])
if refresh == '' then
  redis.call('HDEL', KEYS[1], 'refresh_digest', 'refresh_generation', 'refresh_used_at')
else
  redis.call('HSET', KEYS[1], 'refresh_digest', refresh, 'refresh_generation', '0', 'refresh_used_at', now)
end
-- Until now the grant would have gone with its code.
expire(KEYS[1], grant.gone_at)
keep_access(KEYS[3], access, access_gone_at)
return 'redeemed'
