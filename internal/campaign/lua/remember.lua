-- remember notes in a sorted set when a name was last seen, and lists the names seen lately. It is
-- for Firebase projects whose dispatchers look for campaigns, and for campaigns without a spec that
-- have a history.
-- KEYS: the sorted set.
-- ARGV: the name, '' to list only; how long it is remembered, in ms.
-- Returns all names, each followed by when it was last seen, in ms.
local set = KEYS[1]
local name, keep_ms = ARGV[1], tonumber(ARGV[2])

local bad = wrong_type(set, 'zset')
if bad then
  return bad
end
local now = server_ms()
if name ~= '' then
  redis.call('ZREMRANGEBYSCORE', set, '-inf', '(' .. whole(now - keep_ms)) -- a full Redis accepts this write
  redis.call('ZADD', set, now, name)
  redis.call('PEXPIRE', set, keep_ms)
end
local seen = {}
for i, value in ipairs(redis.call('ZRANGEBYSCORE', set, whole(now - keep_ms), '+inf', 'WITHSCORES')) do
  seen[i] = i % 2 == 1 and value or whole(tonumber(value))
end
return seen
