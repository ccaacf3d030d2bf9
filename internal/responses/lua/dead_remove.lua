-- dead_remove removes letters.
--
-- KEYS: the list, its counts.
-- ARGV: the letters, as locate describes them.
-- Returns how many were removed.
-- Cut: some letters are replaced by gone, or none. The next removal takes these out of the list.
local dead, counts = KEYS[1], KEYS[2]

local bad = wrong_type(dead, 'list', counts, 'hash')
if bad then
  return bad
end

redis.call('PERSIST', dead)
return remove(dead, counts, locate(dead, counts, 0))
