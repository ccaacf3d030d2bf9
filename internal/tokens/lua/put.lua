-- Gives a user a removed token back, unless another one is stored there by now.
-- Returns 1 when the token is there, be it by this call or another; 0 when something else is. It passes when Redis is full.
local key = KEYS[1]
local token, ttl = ARGV[1], tonumber(ARGV[2])

local stored = text_of(key)
if stored == token then
  return 1
end
if stored ~= '' then
  return 0
end
redis.call('DEL', key) -- there is none: the write that a full Redis accepts
set_for(key, token, ttl)
return 1
