-- Deletes a user's token if it still is the dead one. A token that was refreshed meanwhile
-- survives.
-- KEYS: the token. ARGV: the dead token as stored.
-- Returns {1, ''} when it deleted, else {0, stored token}; '' stands for none.
-- Works when Redis is full.
local key = KEYS[1]
local dead = ARGV[1]

local stored = text_of(key)
if stored ~= dead then
  return {0, stored or ''}
end
redis.call('DEL', key)
return {1, ''}
