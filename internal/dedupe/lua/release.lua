-- release gives up addresses whose elements ended without a push that FCM may have accepted. An
-- address that its owner does not have, or whose owner has lost its lease, is left alone: another
-- process may be sending to it.
--
-- KEYS: the index; the leases; then for each address its bucket in each level, the oldest first.
-- ARGV: the levels that the caller knows; the fields of all addresses, 6 bytes each; their owners,
-- 4 bytes each; the claims of the owners.
-- Returns {the levels, how many were given up}. Nothing is given up if the levels are not those of
-- the caller.
-- Cut: the repeated call gives up the rest.
local index, leases, known, fields, owners = KEYS[1], KEYS[2], ARGV[1], ARGV[2], ARGV[3]

local bad = wrong_type(index, 'hash', leases, 'zset')
if bad then
  return bad
end
local levels = redis.call('HGET', index, 'levels') or ''
if levels ~= known then
  return {levels, '0'}
end
local addresses = #ARGV - 3
local depth = (#KEYS - 2) / addresses
local leased, released = {}, 0
for i = 1, addresses do
  local claim, field, owner = ARGV[3 + i], string.sub(fields, 6 * i - 5, 6 * i), string.sub(owners, 4 * i - 3, 4 * i)
  if leased[claim] == nil then
    leased[claim] = redis.call('ZSCORE', leases, claim) and true
  end
  for level = 1, leased[claim] and depth or 0 do
    local bucket = KEYS[2 + (i - 1) * depth + level]
    if redis.call('HGET', bucket, field) == owner then
      released = released + redis.call('HDEL', bucket, field)
    end
  end
end
return {levels, whole(released)}
