-- What every script begins with. A script is one step: it runs alone, and takes effect as a whole or not at all.
--
-- Times and generations are decimal strings without leading zeros, up to 2^64 - 1. Lua's own numbers are doubles, which
-- would lose the last digits, so nothing here is ever turned into one.

local function less(a, b)
  return #a < #b or (#a == #b and a < b)
end

-- n + 1, and no further than 2^64 - 1.
local function successor(n)
  if n == '18446744073709551615' then return n end
  local head, digit, nines = string.match(n, '^(%d-)([0-8]?)(9*)$')
  return head .. string.format('%d', (digit == '' and 0 or digit) + 1) .. string.rep('0', #nines)
end

-- Lets the server remove the key at that time by its clock; never, if there is none.
local function expire(key, at)
  if at == '' then
    redis.call('PERSIST', key)
  else
    redis.call('EXPIREAT', key, at)
  end
end

-- The hash, as a table; empty if there is none.
local function load(key)
  local flat, loaded = redis.call('HGETALL', key), {}
  for i = 1, #flat, 2 do loaded[flat[i]] = flat[i + 1] end
  return loaded
end

-- Grant::is_live
local function is_live(grant, now)
  return grant.expires_at and not grant.revoked_at and less(now, grant.expires_at)
end

-- Keeps an access token. If it has a place in a status list, that stands in its grant until the token goes.
local function keep_access(key, record, at)
  redis.call('SET', key, record)
  expire(key, at)
  local status = string.find(record, '"status":', 1, true) and cjson.decode(record).status
  if not status then return end
  local now = redis.call('TIME')[1]
  for field, gone in pairs(load(KEYS[1])) do
    local is_old = string.sub(field, 1, 7) == 'status:' and gone ~= '' and less(gone, now)
    if is_old then redis.call('HDEL', KEYS[1], field) end
  end
  redis.call('HSET', KEYS[1], string.format('status:%.0f:%.0f', status.list, status.index), at)
end

-- Grant::revoke. What stands there already is written again: WAIT then waits for it, too.
local function revoke(key, retry, grant, now)
  redis.call('HSET', key, 'revoked_at', grant.revoked_at or now)
  if not grant.revoked_at then redis.call('DEL', retry) end
end

