-- Inserts a signing key, unless there is a newer one of its algorithm or one of its name.
-- KEYS: the hash of all keys: each begins with the time from which on it is active and its algorithm, a line each
-- ARGV: kid, active_from, algorithm, sealed key, newest with a '=' before it ('' for none)

local kid, active_from, algorithm, sealed, newest = unpack(ARGV)
for other, key in pairs(load(KEYS[1])) do
  local from, of = string.match(key, '^(%d+)\n([^\n]*)\n')
  local newer = newest == '' or not from or less(string.sub(newest, 2), from)
  if other == kid or (of == algorithm and newer) then return 'present' end
end
redis.call('HSET', KEYS[1], kid, active_from .. '\n' .. algorithm .. '\n' .. sealed)
return 'inserted'
