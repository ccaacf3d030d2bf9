-- dead_page reads some letters from a position on: towards the end of the list, or with 'newest' towards its head.
-- A position counts from the first letter there ever was, so that what trimming drops at the head moves nothing.
-- Letters that were removed elsewhere move all behind them up; the position steps back by as many, so that some may be
-- read again and none is passed over.
-- Returns {now, the next position, how many were removed so far, the letters in the order of the list}.
local dead, counts = KEYS[1], KEYS[2]
local newest, position, seen, n = ARGV[1] == 'newest', tonumber(ARGV[2]), tonumber(ARGV[3]), tonumber(ARGV[4])

local bad = wrong_type(dead, 'list', counts, 'hash')
if bad then
  return bad
end

local bounds = redis.call('HMGET', counts, 'dropped', 'removed')
local dropped, removed = tonumber(bounds[1] or 0), tonumber(bounds[2] or 0)
local first, past
if newest then
  past = math.min(position - dropped, redis.call('LLEN', dead))
  first = math.max(past - n, 0)
else
  first = math.max(position - dropped - (removed - seen), 0)
  past = first + n
end
if past <= first then
  return {server_ms(), position, removed, {}}
end
local letters = redis.call('LRANGE', dead, first, past - 1)
return {server_ms(), dropped + first + (newest and 0 or #letters), removed, letters}
