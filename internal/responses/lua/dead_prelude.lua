-- Helpers for the scripts that take letters out of the list. It is placed before them.

-- gone stands in place of a letter until one pass removes all of these.
local gone = '\0removed'

-- locate finds the letters that follow ARGV[before]. Each is three arguments: its stored form, its
-- position when it was read, and how many had been removed by then. Most are where they were read,
-- corrected by what was removed since. Only the others are searched for.
local function locate(dead, counts, before)
  local bounds = redis.call('HMGET', counts, 'dropped', 'removed')
  local dropped, removed = tonumber(bounds[1] or 0), tonumber(bounds[2] or 0)
  local found, used = {}, {}
  for i = before + 1, #ARGV, 3 do
    local letter, position, seen = ARGV[i], tonumber(ARGV[i + 1]), tonumber(ARGV[i + 2])
    local index = position - dropped - (removed - seen)
    if index < 0 or used[index] or redis.call('LINDEX', dead, index) ~= letter then
      index = nil
      for _, at in ipairs(redis.call('LPOS', dead, letter, 'COUNT', 0)) do
        index = index or (not used[at] and at)
      end
    end
    if index then
      used[index] = true
      found[#found + 1] = {letter = letter, index = index}
    end
  end
  return found
end

-- remove takes the found letters out of the list in one pass. It counts them first: after a cut, a
-- reader reads some letters again and skips none.
local function remove(dead, counts, found)
  if #found > 0 then
    redis.call('HINCRBY', counts, 'removed', #found)
    for _, each in ipairs(found) do
      redis.call('LSET', dead, each.index, gone)
    end
    redis.call('LREM', dead, 0, gone)
  end
  return #found
end
