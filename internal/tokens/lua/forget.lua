-- Takes a user's token away while it is still the one that proved dead, keeps a copy of it for some time, and notes that
-- it is dead. spelled is the token as the key holds it, dead the token alone. A token refreshed meanwhile survives. All three
-- keys are in one slot.
-- Returns {1, ''} when it deleted, else {0, stored token, or '' when there is none}. It passes when Redis is full.
local key, mark, copy = KEYS[1], KEYS[2], KEYS[3]
local spelled, dead_ms, head, keep_ms = ARGV[1], tonumber(ARGV[2]), ARGV[3], tonumber(ARGV[4])
local dead = ARGV[5]

local bad = wrong_type(mark, 'string', copy, 'string')
if bad then
  return bad
end
local stored = text_of(key)
if stored ~= spelled then
  redis.call('DEL', mark)
  set_for(mark, dead, dead_ms)
  return {0, stored or ''}
end
local ttl = redis.call('PTTL', key)
redis.call('DEL', mark)
if keep_ms > 0 then
  set_for(copy, copy_of(head, ttl), keep_ms)
end
set_for(mark, dead, dead_ms)
redis.call('DEL', key)
return {1, ''}
