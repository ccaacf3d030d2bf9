-- Stores a user's devices, as SQL has them, unless the user has some by now.
-- KEYS: the devices. ARGV: their time to live (ms), then each address and its value.
-- Returns 1 when it stored them, else 0. Cut: the devices may stay without an expiry; of more than
-- a call takes, some may be missing until they expire.
local devices, ttl = KEYS[1], tonumber(ARGV[1])

-- max_values is how many values a call may unpack without overflowing Lua's stack. It is even.
local max_values = 5000

if redis.call('EXISTS', devices) == 1 then
  return 0
end
for first = 2, #ARGV, max_values do
  redis.call('HSET', devices, unpack(ARGV, first, math.min(first + max_values - 1, #ARGV)))
  if first == 2 then
    redis.call('PEXPIRE', devices, whole(ttl))
  end
end
return 1
