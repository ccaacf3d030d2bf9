-- Stands before the scripts that take letters out of the list.

-- gone stands in place of a letter until the pass that removes all such.
local gone = '\0removed'

-- locate finds letters, which are given behind ARGV[before]: each as it is stored, its position when it was read, and how many had
-- been removed by then. Most are found where they were read, corrected by what went since; only the others are searched for.
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

-- remove takes what was found out of the list, in one pass. It is counted first: a reader that is cut in on reads some letters
-- again, and passes over none.
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
