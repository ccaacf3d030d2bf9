-- trim drops the first n elements of an outbox, if the first and the n-th are still those that were peeked: otherwise
-- another process has dropped them. A lock of ours lasts on while there is more; an empty outbox needs none.
-- Returns how many elements were dropped.
local outbox, lock = KEYS[1], KEYS[2]
local owner, lock_ms, n, first, last = ARGV[1], ARGV[2], tonumber(ARGV[3]), ARGV[4], ARGV[5]

local bad = wrong_type(outbox, 'list', lock, 'string')
if bad then
  return bad
end

if redis.call('LINDEX', outbox, 0) ~= first or redis.call('LINDEX', outbox, n - 1) ~= last then
  return 0
end
redis.call('LTRIM', outbox, n, -1)
if redis.call('GET', lock) == owner then
  if redis.call('EXISTS', outbox) == 0 then
    redis.call('DEL', lock)
  else
    redis.call('PEXPIRE', lock, lock_ms)
  end
end
return n
