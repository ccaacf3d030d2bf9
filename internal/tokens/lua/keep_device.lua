-- Keeps a copy of a dead address before it is removed from user:<id>:devices. Drops the copies that
-- are too old.
-- KEYS: the copies, a hash by address.
-- ARGV: the address as stored; the head of its copy; the time to live of copies (ms); that of the
-- devices (ms); replace.
-- replace is 'any', or 'other' if an earlier copy of this address stays, which may know more.
-- Returns 1 when it wrote the copy, else 0. Works when Redis is full.
local copies = KEYS[1]
local address, head, keep_ms, ttl = ARGV[1], ARGV[2], tonumber(ARGV[3]), tonumber(ARGV[4])
local replace = ARGV[5]

local bad = wrong_type(copies, 'hash')
if bad then
  return bad
end
if replace == 'other' and redis.call('HEXISTS', copies, address) == 1 then
  return 0
end
redis.call('HDEL', copies, address)
local kept = redis.call('HGETALL', copies)
for i = 1, #kept, 2 do
  local at = tonumber(string.match(kept[i + 1], ',"at":(%d+),"ttl":%d+}$'))
  if at and at + keep_ms < server_ms() then
    redis.call('HDEL', copies, kept[i])
  end
end
redis.call('HSET', copies, address, copy_of(head, ttl))
redis.call('PEXPIRE', copies, whole(keep_ms))
return 1
