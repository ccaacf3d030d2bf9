-- dead_remove removes letters, each given as it is stored, its position when it was read, and how many had been removed
-- by then. Most are found where they were read, corrected by what went since; only the others are searched for. All that
-- are found are marked and go in one pass over the list.
-- Returns how many were removed.
local dead, counts = KEYS[1], KEYS[2]
local gone = '\0removed'

local bad = wrong_type(dead, 'list', counts, 'hash')
if bad then
  return bad
end

redis.call('PERSIST', dead)
local bounds = redis.call('HMGET', counts, 'dropped', 'removed')
local dropped, removed = tonumber(bounds[1] or 0), tonumber(bounds[2] or 0)
local marked, astray = 0, {}
for i = 1, #ARGV, 3 do
  local letter, position, seen = ARGV[i], tonumber(ARGV[i + 1]), tonumber(ARGV[i + 2])
  local index = position - dropped - (removed - seen)
  if index >= 0 and redis.call('LINDEX', dead, index) == letter then
    redis.call('LSET', dead, index, gone)
    marked = marked + 1
  else
    astray[#astray + 1] = letter
  end
end
local n = 0
if marked > 0 then
  n = redis.call('LREM', dead, marked, gone)
end
for _, letter in ipairs(astray) do
  n = n + redis.call('LREM', dead, 1, letter)
end
if n > 0 then
  redis.call('HINCRBY', counts, 'removed', n)
end
return n
