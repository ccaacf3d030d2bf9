-- dead_take takes letters out of the list for a replay, each for one replay only. It keeps them in
-- the list of the batch until that is released. Copies of a recently taken letter are removed with
-- it.
--
-- KEYS: the list, its counts, the batches by the end of their lease, the recently taken letters,
-- the batch.
-- ARGV: the batch, its destination, its lease in ms, how long to remember in ms, then the letters,
-- as locate describes them.
-- Returns which of the letters the batch has, by their order in ARGV.
-- Cut: the batch may have letters that are still in the list. A repeated call takes no more and
-- finishes the removal.
local dead, counts, batches, recent, batch = KEYS[1], KEYS[2], KEYS[3], KEYS[4], KEYS[5]
local id, destination, lease_ms, memory_ms = ARGV[1], ARGV[2], tonumber(ARGV[3]), ARGV[4]
local before = 4

local bad = wrong_type(dead, 'list', counts, 'hash', batches, 'zset', recent, 'set', batch, 'list')
if bad then
  return bad
end

local has, fresh = {}, redis.call('EXISTS', batch) == 0
for _, letter in ipairs(redis.call('LRANGE', batch, 1, -1)) do
  has[letter] = true
end
local found, taken, hashes = {}, {destination}, {}
for _, each in ipairs(locate(dead, counts, before)) do
  local hash = redis.sha1hex(each.letter)
  local copied = has[each.letter] or redis.call('SISMEMBER', recent, hash) == 1
  if fresh and not copied then
    has[each.letter] = true
    taken[#taken + 1], hashes[#hashes + 1] = each.letter, hash
  end
  if fresh or copied then
    found[#found + 1] = each
  end
end

redis.call('PERSIST', dead)
if #hashes > 0 then
  redis.call('ZADD', batches, whole(server_ms() + lease_ms), id)
  redis.call('RPUSH', batch, unpack(taken))
  redis.call('SADD', recent, unpack(hashes))
  redis.call('PEXPIRE', recent, memory_ms)
end
remove(dead, counts, found)

local indexes, given = {}, {}
for i = before + 1, #ARGV, 3 do
  local letter = ARGV[i]
  if has[letter] and not given[letter] then
    given[letter] = true
    indexes[#indexes + 1] = (i - before + 2) / 3
  end
end
return indexes
