-- register puts campaigns into the registry, even while Redis is full: who drains it must be able to find them.
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
  redis.call('SREM', registry, '') -- no campaign: the write that a full Redis accepts
  redis.call('SADD', registry, unpack(missing))
end
return {'registered'}
