-- Drops the copy of a token that was given back, and the note that this token is dead. A copy that another removal wrote
-- meanwhile stays, and with it the note. Returns 1 when it dropped the copy, else 0.
local mark, copy = KEYS[1], KEYS[2]
local token, seen = ARGV[1], ARGV[2]

local bad = wrong_type(mark, 'string', copy, 'string')
if bad then
  return bad
end
if redis.call('GET', copy) ~= seen then
  return 0
end
if redis.call('GET', mark) == token then
  redis.call('DEL', mark)
end
redis.call('DEL', copy)
return 1
