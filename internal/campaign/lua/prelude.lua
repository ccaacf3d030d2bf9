-- Stands before every script. A script does not roll back, so each one checks all types before its first write; and its
-- first write is a command that a full Redis accepts, after which it accepts the others too (begin_load excepted).

-- wrong_type takes keys and the types they should have, in turn; it returns {'wrongtype', key, holds, want} for the
-- first key that holds another type, nil when there is none.
local function wrong_type(...)
  local wanted = {...}
  for i = 1, #wanted, 2 do
    local key, want = wanted[i], wanted[i + 1]
    local holds = redis.call('TYPE', key).ok
    if holds ~= 'none' and holds ~= want then
      return {'wrongtype', key, holds, want}
    end
  end
  return nil
end

-- server_ms is the server's clock in milliseconds; a caller's clock never decides anything.
local function server_ms()
  local time = redis.call('TIME')
  return tonumber(time[1]) * 1000 + math.floor(tonumber(time[2]) / 1000)
end

-- whole writes a number of milliseconds out in full.
local function whole(ms)
  return string.format('%.0f', ms)
end

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
