-- Puts tokens among the revoked ones of their list.
-- KEYS: the list, a bit for each token
-- ARGV: when the list goes, then the places

for i = 2, #ARGV do redis.call('SETBIT', KEYS[1], ARGV[i], 1) end
expire(KEYS[1], ARGV[1])
return 'revoked'
