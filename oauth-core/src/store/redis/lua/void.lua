-- Finds out whether a claim has led to its grant; if it has not, sees to it that it never will.
-- KEYS: grant, mark
-- ARGV: the claim's nonce, when the mark goes

if redis.call('HGET', KEYS[1], 'origin') == ARGV[1] then return 'finished' end
redis.call('SET', KEYS[2], '1')
expire(KEYS[2], ARGV[2])
return 'void'
