-- append pushes a batch to the end of the list, once for each number of a load. Its first write is
-- one that a full Redis refuses, because a loader must not push Redis over its limit.
--
-- ARGV, after those of append_prelude.lua: the elements.
-- Returns 'appended', 'known' if this batch is already there, or 'unmarked' if the field is
-- missing.
local batch, refused = read_batch()
if not batch then
  return refused
end
if batch.known and not batch.begun then
  return 'known'
end

local elements = {}
for i = 1, size do
  elements[i] = ARGV[9 + i]
end

-- count_pushed returns how many elements of a batch under way are in the list, or were. If none of
-- them is claimed yet, it compares them. Otherwise it computes the number, assuming that only loads
-- push to the list. In doubt, the batch is pushed again.
local function count_pushed()
  local from = batch.place - batch.claimed
  if from < 0 then
    local others = batch.accepted - batch.earlier
    return batch.claimed + redis.call('LLEN', list) - batch.place - others == size and size or 0
  end
  local there = redis.call('LRANGE', list, from, from + size - 1)
  for i = 1, size do
    if there[i] ~= elements[i] then
      return i - 1 == #there and #there or 0
    end
  end
  return size
end

local now = server_ms()
local there = batch.known and size or batch.begun and count_pushed() or 0
if there == 0 then
  note_batch(batch, batch.claimed + redis.call('LLEN', list), now)
elseif ttl_ms > 0 then
  redis.call('HSET', counts, 'deadline', whole(now + ttl_ms), 'assumed', '1')
end
call_all('RPUSH', list, elements, there + 1)
finish_batch(batch, now, there == 0)
return batch.known and 'known' or 'appended'
