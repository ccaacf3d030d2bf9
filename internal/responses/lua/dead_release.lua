-- dead_release ends a batch of dead_take: its letters were replayed, or they go back to the end of
-- the list.
--
-- KEYS: the list, the batches, the recently taken letters, the batch.
-- ARGV: the batch, 'replayed' or 'back', 'expired' to leave it alone while its lease lasts.
-- Returns how many letters went back.
-- Cut: the batch still exists, and a repeated call finishes it. It does not push a letter that is
-- in the list.
local dead, batches, recent, batch = KEYS[1], KEYS[2], KEYS[3], KEYS[4]
local id, back, expired = ARGV[1], ARGV[2] == 'back', ARGV[3] == 'expired'

local bad = wrong_type(dead, 'list', batches, 'zset', recent, 'set', batch, 'list')
if bad then
  return bad
end
local ends = tonumber(redis.call('ZSCORE', batches, id) or 0)
if expired and ends > server_ms() then
  return 0
end

redis.call('PERSIST', dead)
local letters, hashes = {}, {}
if back then
  for _, letter in ipairs(redis.call('LRANGE', batch, 1, -1)) do
    if not redis.call('LPOS', dead, letter) then
      letters[#letters + 1] = letter
    end
    hashes[#hashes + 1] = redis.sha1hex(letter)
  end
end
if #letters > 0 then
  redis.call('RPUSH', dead, unpack(letters))
end
if #hashes > 0 then
  redis.call('SREM', recent, unpack(hashes))
end
redis.call('DEL', batch)
redis.call('ZREM', batches, id)
return #letters
