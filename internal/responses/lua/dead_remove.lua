-- dead_remove removes letters, which are given as locate has them.
-- Returns how many were removed.
local dead, counts = KEYS[1], KEYS[2]

local bad = wrong_type(dead, 'list', counts, 'hash')
if bad then
  return bad
end

redis.call('PERSIST', dead)
return remove(dead, counts, locate(dead, counts, 0))
