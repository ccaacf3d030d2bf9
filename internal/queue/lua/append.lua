-- append pushes a batch to the end of the list, once for each number of a load. It guards the list:
-- see guard_list.lua. Its first write is one that a full Redis refuses, because a loader must not
-- push Redis over its limit.
--
-- KEYS: list, counts, the bitmap of the load's batches.
-- ARGV: the load, the batch's number, the deadline in ms from now (0: leave it alone), how long to
-- remember the load in ms, a field that counts must have ('': none), how long the list is kept
-- beyond its deadline in ms, a field of counts to set ('': none) and its value, then the elements.
-- Returns 'appended', 'known' if this batch is already there, or 'unmarked' if the field is
-- missing.
--
-- Field 'replaces' of counts says how many elements are missing that were in the list. Loaded
-- elements take their place first, and only the others add to 'seen'.
--
-- Cut: field 'append' of counts is '<number> <place> <accepted> <seen> <load>' while a batch is
-- under way. place is its place among all elements ever listed. accepted is the count before the
-- batch, and seen the count after it. A repeated call resumes from that note. Another load moves
-- the note to field 'append:<load>' first.
local list, counts, memory = KEYS[1], KEYS[2], KEYS[3]
local load, number, ttl_ms, memory_ms, mark = ARGV[1], ARGV[2], tonumber(ARGV[3]), ARGV[4], ARGV[5]
local keep_ms, field, text = tonumber(ARGV[6]), ARGV[7], ARGV[8]
local before = 8

local bad = wrong_type(list, 'list', counts, 'hash', memory, 'string')
if bad then
  return bad
end
if mark ~= '' and redis.call('HEXISTS', counts, mark) == 0 then
  return 'unmarked'
end

local moved = 'append:' .. load
local noted = redis.call('HMGET', counts, 'append', moved, 'claimed', 'accepted', 'seen', 'replaces', 'guard')
local claimed, accepted = tonumber(noted[3]) or 0, tonumber(noted[4]) or 0
local seen, replaces = tonumber(noted[5]) or 0, tonumber(noted[6]) or 0

-- read_note returns the number, place, accepted, seen and load of a batch under way.
local function read_note(note)
  return string.match(note or '', '^(%d+) (%d+) (%d+) (%d+) (.*)$')
end
local _, _, _, _, other = read_note(noted[1])
local of, place, earlier, after, by = read_note(noted[2] or noted[1])
local begun = of == number and by == load
local known = redis.call('GETBIT', memory, number) == 1
if known and not begun then
  return 'known'
end

local elements = {}
for i = before + 1, #ARGV do
  elements[i - before] = ARGV[i]
end

-- count_pushed returns how many elements of a batch under way are in the list, or were. If none of
-- them is claimed yet, it compares them. Otherwise it computes the number, assuming that only loads
-- push to the list. In doubt, the batch is pushed again.
local function count_pushed()
  local from = tonumber(place) - claimed
  if from < 0 then
    local others = accepted - tonumber(earlier)
    return claimed + redis.call('LLEN', list) - tonumber(place) - others == #elements and #elements or 0
  end
  local there = redis.call('LRANGE', list, from, from + #elements - 1)
  for i = 1, #elements do
    if there[i] ~= elements[i] then
      return i - 1 == #there and #there or 0
    end
  end
  return #elements
end

-- The deadline is noted first and its guard last. In between, the old guard identifies the list.
local now = server_ms()
local deadline, due = now + ttl_ms, {}
if ttl_ms > 0 then
  due = {'deadline', whole(deadline), 'assumed', '1'}
end

local there = known and #elements or begun and count_pushed() or 0
if there == 0 then
  if other and other ~= load then
    redis.call('HSET', counts, 'append:' .. other, noted[1])
  end
  place = claimed + redis.call('LLEN', list)
  after = math.max(seen, place) + #elements - math.min(replaces, #elements)
  redis.call('HSET', counts, 'append', string.format('%s %d %d %d %s', number, place, accepted, after, load), unpack(due))
elseif ttl_ms > 0 then
  redis.call('HSET', counts, unpack(due))
end
call_all('RPUSH', list, elements, there + 1)
redis.call('SETBIT', memory, number, 1)
redis.call('PEXPIRE', memory, memory_ms)
local written = {}
local function write(name, value)
  written[#written + 1], written[#written + 2] = name, value
end
write('accepted', whole(accepted + #elements))
write('seen', whole(math.max(seen, tonumber(after))))
write('replaces', whole(replaces - math.min(replaces, #elements)))
if ttl_ms > 0 then
  local ends, guard = now + redis.call('PTTL', list), deadline + keep_ms
  local ours = math.abs(ends - (tonumber(noted[7]) or 0)) <= 1000
  if not ours then -- no guard, or a producer's expiry, which would become the deadline
    redis.call('HSET', counts, 'guard', whole(guard))
  end
  if not ours or ends < guard then
    redis.call('PEXPIREAT', list, whole(guard))
    write('guard', whole(guard))
  end
end
if field ~= '' then
  write(field, text)
end
if there == 0 or other == load then
  write('append', '')
end
if noted[2] then
  write(moved, '')
end
redis.call('HSET', counts, unpack(written))
if noted[2] then
  redis.call('HDEL', counts, moved)
end
return known and 'known' or 'appended'
