-- append pushes a batch to the end of the list, once for each number of a load, and sets the list's expiry.
-- Its first write is one that a full Redis refuses: a loader must not push Redis over its limit.
-- ARGV: the batch's number, the expiry in ms (0: none), how long to remember the load in ms, a field that counts must have
-- ('': none), then the elements.
-- Returns 'appended', 'known' when this batch is already there, or 'unmarked'.
local list, counts, load = KEYS[1], KEYS[2], KEYS[3]
local number, ttl_ms, memory_ms, mark = ARGV[1], tonumber(ARGV[2]), ARGV[3], ARGV[4]
local before = 4

local bad = wrong_type(list, 'list', counts, 'hash', load, 'string')
if bad then
  return bad
end
if mark ~= '' and redis.call('HEXISTS', counts, mark) == 0 then
  return 'unmarked'
end
if redis.call('GETBIT', load, number) == 1 then
  return 'known'
end

local elements = {}
for i = before + 1, #ARGV do
  elements[i - before] = ARGV[i]
end
call_all('RPUSH', list, elements)
redis.call('SETBIT', load, number, 1)
redis.call('PEXPIRE', load, memory_ms)
redis.call('HINCRBY', counts, 'accepted', #elements)
if ttl_ms > 0 then
  redis.call('PEXPIRE', list, ttl_ms)
end
return 'appended'
