-- Deletes the copy of a restored token and its dead mark.
-- If another removal has written a new copy meanwhile, both stay.
-- KEYS: the mark, the copy. ARGV: the token, the copy as read.
-- Returns 1 when it deleted the copy, else 0.
local mark, copy = KEYS[1], KEYS[2]
local token, seen = ARGV[1], ARGV[2]

local bad = wrong_type(mark, 'string', copy, 'string')
if bad then
  return bad
end
if redis.call('GET', copy) ~= seen then
  return 0
end
unmark_dead(mark, token)
redis.call('DEL', copy)
return 1
