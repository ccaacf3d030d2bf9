-- retain sets the expiry of the spec on all keys of an ended campaign. That includes keys written
-- later, when a recipient in flight was put back or deferred, and campaigns that an application
-- ended. The guard has set an expiry on the list already. The list of a completed campaign has
-- late recipients: it is left alone until Discover finds them.
-- KEYS: spec, counts, list, then the others.
-- ARGV: the retention in ms, then the states of ended campaigns.
-- Returns {'retained'} or {'not ended'}.
local spec = KEYS[1]
local retention_ms = tonumber(ARGV[1])

local bad = wrong_type(spec, 'hash')
if bad then
  return bad
end
local state = redis.call('HGET', spec, 'state')
if not contains({unpack(ARGV, 2)}, state) then
  return {'not ended'}
end
local left = redis.call('PTTL', spec)
if left < 0 then
  left = retention_ms
end
for i = #KEYS, 1, -1 do -- the spec last: Discover repeats this while the spec has no expiry
  local key = KEYS[i]
  local ttl = redis.call('PTTL', key)
  local guarded = i == 3 and ttl > left
  if (ttl == -1 or guarded) and not (i == 3 and state == 'completed') then
    redis.call('PEXPIRE', key, left)
  end
end
return {'retained'}
