-- dead_remove removes letters, given as they are stored; of each, up to limit copies counted from the head, all with 0.
-- Returns how many were removed.
local dead, counts = KEYS[1], KEYS[2]
local limit = ARGV[1]

local bad = wrong_type(dead, 'list', counts, 'hash')
if bad then
  return bad
end

local removed = 0
for i = 2, #ARGV do
  removed = removed + redis.call('LREM', dead, limit, ARGV[i])
end
if removed > 0 then
  redis.call('HINCRBY', counts, 'removed', removed)
end
return removed
