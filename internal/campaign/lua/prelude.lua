-- Stands before every script about campaigns. Scripts that bring a campaign into a state or forget it have these KEYS first:
-- spec, counts, list, back, retry, leases, outbox.

local function contains(list, value)
  for _, each in ipairs(list) do
    if each == value then
      return true
    end
  end
  return false
end

-- books reads counts as numbers, and tells whether a load goes on, and how many recipients have an outcome.
local function books(counts)
  local totals, loading, ended, now = {}, false, 0, server_ms()
  local fields = redis.call('HGETALL', counts)
  for i = 1, #fields, 2 do
    local field, n = fields[i], tonumber(fields[i + 1]) or 0
    totals[field] = n
    loading = loading or (string.sub(field, 1, 5) == 'load:' and n > now)
    if string.sub(field, 1, 6) == 'ended:' then
      ended = ended + n
    end
  end
  return totals, loading, ended
end

-- keep takes the retention off a campaign's keys, if they are under any. An expiry of the list that is not the spec's and the
-- counts', which come under retention together, is its producer's or the queue's, and stays.
local function keep(keys)
  local spec, counts, list = keys[1], keys[2], keys[3]
  local ends = math.max(redis.call('PTTL', spec), redis.call('PTTL', counts))
  if ends >= 0 and math.abs(redis.call('PTTL', list) - ends) < 100 then
    redis.call('PERSIST', list)
  end
  for _, key in ipairs(keys) do
    if key ~= list then
      redis.call('PERSIST', key)
    end
  end
end

-- enter puts a campaign into a state. A retention above 0 says that the state is an end: then spec and counts expire, and all
-- else with retain. Otherwise all stays.
local function enter(keys, state, reason, retention_ms)
  local spec, counts, now = keys[1], keys[2], whole(server_ms())
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
    keep(keys)
  end
end
