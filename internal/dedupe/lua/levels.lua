-- levels returns the levels of a record. If there are none, it writes the caller's first level,
-- unless the campaign has been deleted.
--
-- KEYS: the index; the spec.
-- ARGV: the first level, as the number of bits that number its buckets; the TTL in ms.
-- Returns the levels, such as "14 18", the newest last; "" without a spec.
-- renew_at is the time from which a bucket may have less than half of its TTL left.
-- Cut: an index without levels is as none.
local index = KEYS[1]
local bad = wrong_type(index, 'hash')
if bad then
  return bad
end
local levels = redis.call('HGET', index, 'levels')
if not levels and redis.call('EXISTS', KEYS[2]) == 0 then
  return ''
end
if not levels then
  redis.call('PEXPIRE', index, ARGV[2]) -- first: a full Redis accepts this write
  redis.call('HSET', index, 'levels', ARGV[1], 'records', '0', 'renew_at', whole(server_ms() + tonumber(ARGV[2]) / 2))
  redis.call('PEXPIRE', index, ARGV[2])
  levels = ARGV[1]
end
return levels
