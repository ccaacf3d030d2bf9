-- register adds campaigns to the registry, even if Redis is full: dispatchers must find them to
-- drain it.
-- Returns {'registered'}.
local registry = KEYS[1]

local bad = wrong_type(registry, 'set')
if bad then
  return bad
end
local missing = {}
for _, id in ipairs(ARGV) do
  if redis.call('SISMEMBER', registry, id) == 0 then
    missing[#missing + 1] = id
  end
end
if #missing > 0 then
  redis.call('SREM', registry, '') -- not a campaign: a full Redis accepts this write
  redis.call('SADD', registry, unpack(missing))
end
return {'registered'}
