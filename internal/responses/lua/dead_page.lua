-- dead_page reads some letters from a position on: towards the end of the list, or with 'newest'
-- towards its head.
--
-- A position counts from the first letter there ever was, so letters that are trimmed at the head
-- move nothing. A letter that is removed elsewhere moves all behind it. The position then steps
-- back by as many, so some letters may be read again and none is skipped.
--
-- KEYS: the list, its counts.
-- ARGV: 'newest' or 'oldest', the position, how many were removed when it was read, how many
-- letters.
-- Returns {now, the next position, how many were removed so far, the letters in the order of the
-- list}.
-- Cut: it writes nothing.
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
