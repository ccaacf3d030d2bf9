-- register puts campaigns into the registry, even while Redis is full: who drains it must be able to find them.
-- Returns {'registered'}.
local registry = KEYS[1]

local bad = wrong_type(registry, 'set')
if bad then
  return bad
end
redis.call('SREM', registry, '') -- no campaign: the write that a full Redis accepts
redis.call('SADD', registry, unpack(ARGV))
return {'registered'}
