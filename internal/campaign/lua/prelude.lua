-- Stands before every script about campaigns.

local function contains(list, value)
  for _, each in ipairs(list) do
    if each == value then
      return true
    end
  end
  return false
end

-- enter puts a campaign into a state. A retention above 0 says that the state is an end: then spec and counts expire,
-- and otherwise they stay.
local function enter(spec, counts, state, reason, retention_ms)
  local now = whole(server_ms())
  redis.call('HDEL', spec, 'reason', 'finished_at')
  redis.call('HSET', spec, 'state', state)
  redis.call('HSETNX', spec, 'created_at', now)
  if reason ~= '' then
    redis.call('HSET', spec, 'reason', reason)
  end
  if state == 'running' then
    redis.call('HSETNX', spec, 'started_at', now)
  end
  if retention_ms > 0 then
    redis.call('HSET', spec, 'finished_at', now)
    redis.call('PEXPIRE', spec, retention_ms)
    redis.call('PEXPIRE', counts, retention_ms)
  else
    redis.call('PERSIST', spec)
    redis.call('PERSIST', counts)
  end
end
