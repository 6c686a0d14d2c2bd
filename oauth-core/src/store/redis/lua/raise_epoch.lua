-- Raises the epoch, and says what it is.
-- KEYS: the epoch
-- ARGV: the new one

local epoch = redis.call('GET', KEYS[1]) or '0'
if less(epoch, ARGV[1]) then epoch = ARGV[1] end
-- Where it stays, it is written again: WAIT then waits for it, too.
redis.call('SET', KEYS[1], epoch)
return epoch
