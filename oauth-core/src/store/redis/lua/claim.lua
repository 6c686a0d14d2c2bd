-- Claims an interaction, or ends it where it leads to no grant.
-- KEYS: interaction
-- ARGV: browser, now, the claim that it may have ('' for none), the new one ('' to end it)

local browser, now, expected, claim = unpack(ARGV)
local found = load(KEYS[1])
if found.browser ~= browser or not less(now, found.expires_at) then return { 'gone' } end
if (found.claim or '') ~= expected then return { 'claimed', found.claim or '' } end
if claim == '' then
  redis.call('DEL', KEYS[1])
  return { 'ended' }
end
redis.call('HSET', KEYS[1], 'claim', claim)
return { 'ours', found.expires_at }
