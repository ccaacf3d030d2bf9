-- trim drops the first n elements of an outbox, if the first and the n-th are still those that were
-- read. Otherwise another process has dropped them. It renews the caller's lock while there is
-- more, and deletes it with the last element.
--
-- KEYS: the outbox, its lock.
-- ARGV: the caller's lock value, the lock's time in ms, n, the first element, the n-th element.
-- Returns how many elements were dropped.
-- Cut: the elements are dropped or not. The lock may keep its old expiry.
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
