-- Deletes a user's token while it is still the one that proved dead: a token refreshed meanwhile survives.
-- Returns {1, ''} when it deleted, else {0, stored token, or '' when there is none}. It passes when Redis is full.
local key = KEYS[1]
local dead = ARGV[1]

local stored = text_of(key)
if stored ~= dead then
  return {0, stored or ''}
end
redis.call('DEL', key)
return {1, ''}
