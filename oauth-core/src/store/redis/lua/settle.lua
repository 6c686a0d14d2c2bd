-- Ends an interaction that has that claim, or takes the claim away.
-- KEYS: interaction
-- ARGV: the claim, 'end' or 'release'

if redis.call('HGET', KEYS[1], 'claim') ~= ARGV[1] then return 'other' end
if ARGV[2] == 'end' then
  redis.call('DEL', KEYS[1])
else
  redis.call('HDEL', KEYS[1], 'claim')
end
return 'settled'
