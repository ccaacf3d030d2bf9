-- take records which elements own which addresses. The first element that takes an address owns
-- it, and finds itself the owner whenever it takes the address again.
--
-- KEYS: the index; the spec; then for each address its bucket in each level, the oldest first.
-- ARGV: the levels that the caller knows; the TTL in ms; the fields of all addresses, 6 bytes each;
-- their owners, 4 bytes each.
-- Returns {the levels, a byte for each address: '1' if that owner has it}. There are no bytes, and
-- nothing is recorded, if the levels are not those of the caller or the campaign has no spec.
-- Cut: an address that was taken is found to be its owner's by the repeated call.
local index, known, ttl, fields, owners = KEYS[1], ARGV[1], tonumber(ARGV[2]), ARGV[3], ARGV[4]
-- A level gets four more bits than the one before it, once its buckets hold 128 addresses on
-- average. crowded and next_bits in record.go.
local crowded, next_bits, most_bits = 128, 4, 24

local found = redis.pcall('HMGET', index, 'levels', 'records')
if found.err then
  return wrong_type(index, 'hash') or found
end
local levels = found[1] or ''
if levels ~= known or redis.call('EXISTS', KEYS[2]) == 0 then
  return {'', ''}
end

local addresses = #owners / 4
local depth = (#KEYS - 2) / addresses
local marks, fresh = {}, 0

local bad
-- on runs a command on a bucket. A failed one ends the script with an error that names the bucket.
local function on(bucket, command, ...)
  local reply = redis.pcall(command, bucket, ...)
  if type(reply) == 'table' then
    bad = wrong_type(bucket, 'hash') or reply
  end
  return reply
end

redis.call('PEXPIRE', index, ARGV[2]) -- a full Redis accepts this write
for i = 1, addresses do
  local field, owner, holder = string.sub(fields, 6 * i - 5, 6 * i), string.sub(owners, 4 * i - 3, 4 * i), false
  local newest = 2 + i * depth
  for older = newest - depth + 1, newest - 1 do
    holder = holder or on(KEYS[older], 'HGET', field)
  end
  if not holder then
    local bucket = KEYS[newest]
    if on(bucket, 'HSETNX', field, owner) == 1 then
      if redis.call('PTTL', bucket) < ttl / 2 then -- seldom: an expiry costs as much as the rest
        redis.call('PEXPIRE', bucket, ARGV[2])
      end
      fresh, holder = fresh + 1, owner
    else
      holder = on(bucket, 'HGET', field)
    end
  end
  if bad then
    return bad
  end
  marks[i] = holder == owner and '1' or '0'
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
