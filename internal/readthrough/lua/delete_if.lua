-- Deletes a key while it still holds the value that is no longer wanted: what was written meanwhile survives.
-- Returns 1 when it deleted, else 0. It passes when Redis is full.
local key = KEYS[1]
local unwanted = ARGV[1]

if redis.call('TYPE', key).ok ~= 'string' or redis.call('GET', key) ~= unwanted then
  return 0
end
return redis.call('DEL', key)
