-- Replaces tokens, if those that count are the expected ones: LinkState::replace_tokens.
-- KEYS: the link
-- ARGV: digest of the code and revision of those before ('' for none), now, the fields of the new ones

local expected, now = unpack(ARGV)
local found, current = load(KEYS[1]), ''
-- Those that have ended are none.
if found.tokens_id and less(now, found.tokens_ends_at) then current = found.tokens_id .. found.tokens_revision end
if current ~= expected then return 'other' end
redis.call('HSET', KEYS[1], unpack(ARGV, 3))
settle(KEYS[1])
return 'replaced'
