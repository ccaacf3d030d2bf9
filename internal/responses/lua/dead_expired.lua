-- dead_expired lists the batches whose lease has run out.
--
-- KEYS: the batches.
-- ARGV: the prefix of a batch's key. Such keys come and go too fast to be among the KEYS. They
-- share the slot.
-- Returns a batch and its destination in turn, '' for a batch without letters.
-- Cut: it writes nothing.
local batches = KEYS[1]

local bad = wrong_type(batches, 'zset')
if bad then
  return bad
end
local found = {}
for _, id in ipairs(redis.call('ZRANGEBYSCORE', batches, '-inf', server_ms(), 'LIMIT', 0, 100)) do
  found[#found + 1] = id
  found[#found + 1] = redis.call('LINDEX', ARGV[1] .. id, 0) or ''
end
return found
