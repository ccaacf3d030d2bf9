-- trim drops the first n elements of an outbox, if the first and the n-th are still those that were peeked: otherwise
-- another process has dropped them. An empty outbox needs no lock.
-- Returns how many elements were dropped.
local outbox, lock = KEYS[1], KEYS[2]
local owner, n, first, last = ARGV[1], tonumber(ARGV[2]), ARGV[3], ARGV[4]

local bad = wrong_type(outbox, 'list', lock, 'string')
if bad then
  return bad
end

if redis.call('LINDEX', outbox, 0) ~= first or redis.call('LINDEX', outbox, n - 1) ~= last then
  return 0
end
redis.call('LTRIM', outbox, n, -1)
if redis.call('EXISTS', outbox) == 0 and redis.call('GET', lock) == owner then
  redis.call('DEL', lock)
end
return n
