-- Lines of a user's list, and the time.
-- KEYS: the list
-- ARGV: behind what, how many

return { redis.call('TIME')[1], redis.call('ZRANGEBYLEX', KEYS[1], ARGV[1], '+', 'LIMIT', '0', ARGV[2]) }
