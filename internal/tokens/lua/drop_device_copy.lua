-- Deletes the copy of a restored address, unless another removal has written a new one.
-- KEYS: the copies. ARGV: the address, the copy as read.
-- Returns 1 when it deleted the copy, else 0.
local copies = KEYS[1]
local address, seen = ARGV[1], ARGV[2]

local bad = wrong_type(copies, 'hash')
if bad then
  return bad
end
if redis.call('HGET', copies, address) ~= seen then
  return 0
end
redis.call('HDEL', copies, address)
return 1
