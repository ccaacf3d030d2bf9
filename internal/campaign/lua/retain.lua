-- retain lets all keys of a campaign that has ended expire together with its spec: also those that came into being
-- later, when somebody who was in flight was put off or given back, and of a campaign that an application ended.
-- KEYS: spec, then the others. ARGV: the retention in ms, then the states that are an end.
-- Returns {'retained'} or {'goes on'}.
local spec = KEYS[1]
local retention_ms = tonumber(ARGV[1])

local bad = wrong_type(spec, 'hash')
if bad then
  return bad
end
if not contains({unpack(ARGV, 2)}, redis.call('HGET', spec, 'state')) then
  return {'goes on'}
end
local left = redis.call('PTTL', spec)
if left < 0 then
  left = retention_ms
end
for _, key in ipairs(KEYS) do
  if redis.call('PTTL', key) == -1 then
    redis.call('PEXPIRE', key, left)
  end
end
return {'retained'}
