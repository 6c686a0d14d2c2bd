-- Forgets a link, and says what it was.
-- KEYS: as link.lua says
-- ARGV: the name of the link

local found = redis.call('HGETALL', KEYS[1])
redis.call('DEL', KEYS[1])
unlist(ARGV[1])
return {found}
