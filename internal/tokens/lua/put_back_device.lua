-- Stores a removed address of a device again, unless it is stored by now.
-- KEYS: the devices. ARGV: the address, its value, the time to live (ms) of devices that exist no
-- more.
-- Returns 1 when the address is stored, and 0 when the key has another type.
-- Works when Redis is full.
local devices = KEYS[1]
local address, value, ttl = ARGV[1], ARGV[2], tonumber(ARGV[3])

local holds = redis.call('TYPE', devices).ok
if holds ~= 'none' and holds ~= 'hash' then
  return 0
end
if redis.call('HEXISTS', devices, address) == 1 then
  return 1
end
redis.call('HDEL', devices, address) -- a full Redis accepts the script after this write
redis.call('HSET', devices, address, value)
if holds == 'none' and ttl > 0 then
  redis.call('PEXPIRE', devices, whole(ttl))
end
return 1
