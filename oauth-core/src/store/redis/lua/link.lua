
-- Of links. Their keys are the link, then the two lists of codes that wait: by when they are due, by when they end.

local CODE = {'code_id', 'code_sealed', 'code_attempts', 'code_queued_at', 'code_due_at', 'code_expires_at', 'code_gone_at'}

-- Takes the code of that name from the lists.
local function unlist(name)
  redis.call('ZREM', KEYS[2], name)
  redis.call('ZREM', KEYS[3], name)
end

-- Lets the link go when the later of its parts goes; at once, if it has none.
local function settle(key)
  local link = load(key)
  local code, tokens = link.code_gone_at, link.tokens_gone_at
  if not code and not tokens then
    redis.call('DEL', key)
  elseif code == '' or tokens == '' then
    expire(key, '')
  elseif code and (not tokens or less(tokens, code)) then
    expire(key, code)
  else
    expire(key, tokens)
  end
end
