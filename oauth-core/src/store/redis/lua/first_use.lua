-- Whether this is the first use, by the server's own clock.
-- KEYS: what is used
-- ARGV: until when it counts, when it goes

if not less(redis.call('TIME')[1], ARGV[1]) then return 'late' end
if redis.call('SET', KEYS[1], '1', 'NX', 'EXAT', ARGV[2]) then return 'first' end
return 'again'
