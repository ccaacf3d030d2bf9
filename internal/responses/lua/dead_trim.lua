-- dead_trim drops the oldest letters beyond a length, and the first n if the first and the n-th are
-- still the given ones.
--
-- KEYS: the list, its counts.
-- ARGV: the length, n, the first letter, the n-th letter.
-- Returns how many were dropped.
-- Cut: some letters may be counted as dropped that are still in the list. Readers read some again
-- and skip none.
local dead, counts = KEYS[1], KEYS[2]
local longest, n, first, last = tonumber(ARGV[1]), tonumber(ARGV[2]), ARGV[3], ARGV[4]

local bad = wrong_type(dead, 'list', counts, 'hash')
if bad then
  return bad
end

local length = redis.call('LLEN', dead)
if n > 0 and (redis.call('LINDEX', dead, 0) ~= first or redis.call('LINDEX', dead, n - 1) ~= last) then
  n = 0
end
local dropped = math.max(n, length - longest)
if dropped <= 0 then
  return 0
end
redis.call('PERSIST', dead)
redis.call('HINCRBY', counts, 'dropped', dropped) -- first, so that readers skip none after a cut
redis.call('LTRIM', dead, dropped, -1)
return dropped
