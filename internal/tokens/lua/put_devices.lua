-- Stores a user's devices, as SQL has them, unless the user has some by now.
-- KEYS: the devices. ARGV: their time to live (ms), then each address and its value.
-- Returns 1 when it stored them, else 0. Cut: the devices may stay without an expiry.
local devices, ttl = KEYS[1], tonumber(ARGV[1])

if redis.call('EXISTS', devices) == 1 then
  return 0
end
redis.call('HSET', devices, unpack(ARGV, 2))
redis.call('PEXPIRE', devices, whole(ttl))
return 1
