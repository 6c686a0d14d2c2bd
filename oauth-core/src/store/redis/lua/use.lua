-- Marks a use, and says how many there have been.
-- KEYS: the use: its end and its count
-- ARGV: the end of a first one, now, when that goes, whether those that follow count

local ends_at, now, gone_at, counts = unpack(ARGV)
local found, count = string.match(redis.call('GET', KEYS[1]) or '', '^(%d+) (%d+)$')
if not found or not less(now, found) then
  redis.call('SET', KEYS[1], ends_at .. ' 1')
  expire(KEYS[1], gone_at)
  return '1'
end
if counts == '' then return 'again' end
count = successor(count)
redis.call('SET', KEYS[1], found .. ' ' .. count, 'KEEPTTL')
return count
