-- retain lets all keys of a campaign that has ended expire together with its spec: also those that came into being
-- later, when somebody who was in flight was put off or given back, and of a campaign that an application ended.
-- A list has an expiry already, its guard. That of a completed campaign has recipients who came late: it is left alone until they
-- are discovered. KEYS: spec, counts, list, then the others. ARGV: the retention in ms, then the states that are an end.
-- Returns {'retained'} or {'goes on'}.
local spec = KEYS[1]
local retention_ms = tonumber(ARGV[1])

local bad = wrong_type(spec, 'hash')
if bad then
  return bad
end
local state = redis.call('HGET', spec, 'state')
if not contains({unpack(ARGV, 2)}, state) then
  return {'goes on'}
end
local left = redis.call('PTTL', spec)
if left < 0 then
  left = retention_ms
end
for i = #KEYS, 1, -1 do -- the spec last: a campaign whose spec does not expire is looked at again
  local key = KEYS[i]
  local ttl = redis.call('PTTL', key)
  local guarded = i == 3 and ttl > left
  if (ttl == -1 or guarded) and not (i == 3 and state == 'completed') then
    redis.call('PEXPIRE', key, left)
  end
end
return {'retained'}
