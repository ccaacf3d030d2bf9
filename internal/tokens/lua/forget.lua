-- Deletes a user's token if it still is the dead one, keeps a copy of it and marks it as dead.
-- A token that was refreshed meanwhile survives. All keys are in one slot.
-- KEYS: the token, the mark, the copy.
-- ARGV: the token as stored; the time to live of the mark (ms); the head of the copy;
-- the time to live of the copy (ms); the token alone.
-- Returns {1, ''} when it deleted, else {0, stored token}; '' stands for none.
-- Works when Redis is full.
local key, mark, copy = KEYS[1], KEYS[2], KEYS[3]
local spelled, dead_ms, head, keep_ms = ARGV[1], tonumber(ARGV[2]), ARGV[3], tonumber(ARGV[4])
local dead = ARGV[5]

local bad = wrong_type(mark, 'string', copy, 'string')
if bad then
  return bad
end
local stored, others = text_of(key), dead_beside(mark, dead)
if stored ~= spelled then
  redis.call('DEL', mark)
  mark_dead(mark, dead, others, dead_ms)
  return {0, stored or ''}
end
local ttl = redis.call('PTTL', key)
redis.call('DEL', mark)
if keep_ms > 0 then
  set_for(copy, copy_of(head, ttl), keep_ms)
end
mark_dead(mark, dead, others, dead_ms)
redis.call('DEL', key)
return {1, ''}
