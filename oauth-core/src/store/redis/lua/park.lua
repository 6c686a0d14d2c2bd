-- Parks an interaction.
-- KEYS: interaction
-- ARGV: when it goes, then its fields

if redis.call('EXISTS', KEYS[1]) == 1 then return 'conflict' end
redis.call('HSET', KEYS[1], unpack(ARGV, 2))
expire(KEYS[1], ARGV[1])
return 'parked'
