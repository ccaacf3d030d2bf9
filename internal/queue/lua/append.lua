-- append pushes a batch to the end of the list, once for each number of a load, and sets the list's expiry.
-- Its first write is one that a full Redis refuses: a loader must not push Redis over its limit.
-- ARGV: the load, the batch's number, the expiry in ms (0: none), how long to remember the load in ms, a field that counts must
-- have ('': none), then the elements.
-- Returns 'appended', 'known' when this batch is already there, or 'unmarked'.
-- Field 'append' of counts is '<begun|pushed> <number> <place> <accepted> <load>' of the last batch: the place in all that was ever
-- in the list, and how many were accepted before. By it a call that comes again after a cut goes on where that was.
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

local noted = redis.call('HMGET', counts, 'append', 'claimed', 'accepted')
local claimed, accepted = tonumber(noted[2]) or 0, tonumber(noted[3]) or 0
local step, of, place, earlier, by = string.match(noted[1] or '', '^(%a+) (%d+) (%d+) (%d+) (.*)$')
if of ~= number or by ~= load then
  step = nil
end

local function remember()
  redis.call('SETBIT', memory, number, 1)
  redis.call('PEXPIRE', memory, memory_ms)
  if ttl_ms > 0 then
    redis.call('PEXPIRE', list, ttl_ms)
  end
end

if redis.call('GETBIT', memory, number) == 1 then
  if step then
    remember()
  end
  return 'known'
end

local elements = {}
for i = before + 1, #ARGV do
  elements[i - before] = ARGV[i]
end

local function entry(word, at, had)
  return string.format('%s %s %.0f %.0f %s', word, number, at, had, load)
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

if step ~= 'pushed' then
  local there = step and pushed() or 0
  if there == 0 then
    redis.call('HSET', counts, 'append', entry('begun', claimed + redis.call('LLEN', list), accepted))
  end
  call_all('RPUSH', list, elements, there + 1)
  redis.call('HSET', counts, 'accepted', accepted + #elements,
    'append', entry('pushed', claimed + redis.call('LLEN', list), accepted))
end
remember()
return step == 'pushed' and 'known' or 'appended'
