-- append pushes a batch to the end of the list, once for each number of a load, and sets the list's expiry.
-- Its first write is one that a full Redis refuses: a loader must not push Redis over its limit.
-- ARGV: the load, the batch's number, the expiry in ms (0: none), how long to remember the load in ms, a field that counts must
-- have ('': none), then the elements.
-- Returns 'appended', 'known' when this batch is already there, or 'unmarked'.
-- While a batch is on its way, field 'append' of counts is '<number> <place> <accepted> <load>': the place in all that was ever in the
-- list, and how many were accepted before. A call that comes again after a cut goes on by it. Another load moves it to
-- field 'append:<load>' first.
local list, counts, memory = KEYS[1], KEYS[2], KEYS[3]
local load, number, ttl_ms, memory_ms, mark = ARGV[1], ARGV[2], tonumber(ARGV[3]), ARGV[4], ARGV[5]
local before = 5

local bad = wrong_type(list, 'list', counts, 'hash', memory, 'string')
if bad then
  return bad
end
if mark ~= '' and redis.call('HEXISTS', counts, mark) == 0 then
  return 'unmarked'
end

local moved = 'append:' .. load
local noted = redis.call('HMGET', counts, 'append', moved, 'claimed', 'accepted')
local claimed, accepted = tonumber(noted[3]) or 0, tonumber(noted[4]) or 0

-- read_note returns the number, place, accepted and load of a batch that was on its way.
local function read_note(note)
  return string.match(note or '', '^(%d+) (%d+) (%d+) (.*)$')
end
local _, _, _, other = read_note(noted[1])
local of, place, earlier, by = read_note(noted[2] or noted[1])
local begun = of == number and by == load
local known = redis.call('GETBIT', memory, number) == 1
if known and not begun then
  return 'known'
end

local elements = {}
for i = before + 1, #ARGV do
  elements[i - before] = ARGV[i]
end

-- pushed is how many elements of a batch that was begun are in the list, or were. Where none of them is claimed, it is seen; and
-- else reckoned, as if nothing but loads came into the list: what cannot be told is pushed again.
local function pushed()
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

local there = known and #elements or begun and pushed() or 0
if there == 0 then
  if other and other ~= load then
    redis.call('HSET', counts, 'append:' .. other, noted[1])
  end
  local note = string.format('%s %d %d %s', number, claimed + redis.call('LLEN', list), accepted, load)
  redis.call('HSET', counts, 'append', note)
end
call_all('RPUSH', list, elements, there + 1)
redis.call('SETBIT', memory, number, 1)
redis.call('PEXPIRE', memory, memory_ms)
if ttl_ms > 0 then
  redis.call('PEXPIRE', list, ttl_ms)
end
local written = {'accepted', whole(accepted + #elements)}
if there == 0 or other == load then
  written[3], written[4] = 'append', ''
end
if noted[2] then
  written[#written + 1], written[#written + 2] = moved, ''
end
redis.call('HSET', counts, unpack(written))
if noted[2] then
  redis.call('HDEL', counts, moved)
end
return known and 'known' or 'appended'
