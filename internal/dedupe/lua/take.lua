-- take records which elements own which addresses. The first element that takes an address owns
-- it, and finds itself the owner whenever it takes the address again.
--
-- KEYS: the index; the spec; then for each address its bucket in each level, the oldest first.
-- ARGV: the levels that the caller knows; the TTL in ms; the fields of all addresses, 6 bytes each;
-- their owners, 4 bytes each.
-- Returns {the levels, a byte for each address: '1' if that owner has it}. There are no bytes, and
-- nothing is recorded, if the levels are not those of the caller or the campaign has no spec.
-- Cut: an address that was taken is found to be its owner's by the repeated call. If the expiry of
-- a bucket may be missing, renew_at is gone, and from then on each bucket is looked at.
local index, known, ttl, fields, owners = KEYS[1], ARGV[1], tonumber(ARGV[2]), ARGV[3], ARGV[4]
-- A level gets four more bits than the one before it, once its buckets hold 128 addresses on
-- average. crowded and next_bits in record.go.
local crowded, next_bits, most_bits = 128, 4, 24

local found = redis.pcall('HMGET', index, 'levels', 'records', 'renew_at')
if found.err then
  return wrong_type(index, 'hash') or found
end
local levels, renew_at = found[1] or '', found[3]
if levels ~= known or redis.call('EXISTS', KEYS[2]) == 0 then
  return {'', ''}
end

local addresses = #owners / 4
local depth = (#KEYS - 2) / addresses
local marks, fresh = {}, 0

-- Asking for the expiry of a bucket costs half as much as taking an address. Before renew_at it is
-- asked only if a bucket is new: all others have more than half of their TTL. One EXISTS counts
-- them.
local newest = {}
for i = 1, addresses do
  newest[i] = KEYS[2 + i * depth]
end
local asks_expiry = not renew_at or server_ms() >= tonumber(renew_at) or redis.call('EXISTS', unpack(newest)) < addresses

redis.call('PEXPIRE', index, ARGV[2]) -- a full Redis accepts this write
if asks_expiry and renew_at then
  redis.call('HDEL', index, 'renew_at')
end
local bad
for i = 1, addresses do
  local field, owner, holder = string.sub(fields, 6 * i - 5, 6 * i), string.sub(owners, 4 * i - 3, 4 * i), false
  for older = 2 + (i - 1) * depth + 1, 2 + i * depth - 1 do
    holder = holder or redis.pcall('HGET', KEYS[older], field)
    bad = bad or type(holder) == 'table' and (wrong_type(KEYS[older], 'hash') or holder)
  end
  local bucket = newest[i]
  local taken = not holder and redis.pcall('HSETNX', bucket, field, owner)
  if type(taken) == 'table' then
    bad = wrong_type(bucket, 'hash') or taken
  elseif taken == 1 then
    fresh, holder = fresh + 1, owner
    if asks_expiry and redis.call('PTTL', bucket) < ttl / 2 then
      redis.call('PEXPIRE', bucket, ARGV[2])
    end
  elseif taken == 0 then
    holder = redis.call('HGET', bucket, field)
  end
  if bad then
    return bad
  end
  marks[i] = holder == owner and '1' or '0'
end
if asks_expiry and renew_at then
  redis.call('HSET', index, 'renew_at', renew_at)
end
if fresh > 0 then
  local records, bits = (tonumber(found[2]) or 0) + fresh, tonumber(string.match(levels, '%d+$'))
  if records >= 2 ^ bits * crowded and bits + next_bits <= most_bits then
    redis.call('HSET', index, 'levels', levels .. ' ' .. whole(bits + next_bits), 'records', '0')
  else
    redis.call('HSET', index, 'records', whole(records))
  end
end
return {levels, table.concat(marks)}
