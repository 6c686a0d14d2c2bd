-- The grant, its retry and one of its access tokens, of one moment.
-- KEYS: grant, retry, and the access token if it is wanted

local access = false
if KEYS[3] then access = redis.call('GET', KEYS[3]) end
return { redis.call('HGETALL', KEYS[1]), redis.call('HGETALL', KEYS[2]), access }
