-- Stores a removed token again, unless another one is stored by now.
-- KEYS: the token. ARGV: the token as stored before, its time to live (ms).
-- Returns 1 when the token is stored, by this call or another, and 0 when something else is.
-- Works when Redis is full.
local key = KEYS[1]
local token, ttl = ARGV[1], tonumber(ARGV[2])

local stored = text_of(key)
if stored == token then
  return 1
end
if stored ~= '' then
  return 0
end
redis.call('DEL', key) -- a full Redis accepts the script after this write
set_for(key, token, ttl)
return 1
