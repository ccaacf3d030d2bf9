-- Deletes a key if it still holds an unwanted value. A value written meanwhile survives.
-- KEYS: the key. ARGV: the unwanted value.
-- Returns 1 when it deleted, else 0. Works when Redis is full.
local key = KEYS[1]
local unwanted = ARGV[1]

if redis.call('TYPE', key).ok ~= 'string' or redis.call('GET', key) ~= unwanted then
  return 0
end
return redis.call('DEL', key)
