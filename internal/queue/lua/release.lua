-- release ends claims and puts what is left of them at the head of back, in the order in which it
-- was claimed. With 'expired' it ends only claims whose lease has run out, and counts one more loss
-- for each of their elements.
--
-- KEYS: leases, back, counts, the lease of each claim, newest first.
-- ARGV: 'expired' or 'all', how many elements are enough for one script, then the claims.
-- Returns how many elements went back, and how many claims were ended. Call again for the rest.
-- Cut: the next script that moves elements finishes the release if any element is in back, and
-- drops it if none is.
local leases, back, counts = KEYS[1], KEYS[2], KEYS[3]
local which, enough = ARGV[1], tonumber(ARGV[2])
local expired, before = which == 'expired', 2

local bad = wrong_type(leases, 'zset', back, 'list', counts, 'hash')
for k = 4, #KEYS do
  bad = bad or wrong_type(KEYS[k], 'list')
end
bad = bad or recover(counts, redis.call('HGET', counts, 'journal'))
if bad then
  return bad
end

local now = server_ms()
local function due(claim)
  if not expired then
    return true
  end
  local ends = redis.call('ZSCORE', leases, claim)
  return ends and tonumber(ends) <= now
end

local lease = string.sub(leases, 1, -2) .. ':'
local ended, claims, released = 0, {}, {}
while ended < #ARGV - before and #released < enough do
  ended = ended + 1
  local claim = ARGV[before + ended]
  if due(claim) then
    claims[#claims + 1] = claim
    gather(lease, claim, expired, released)
  end
end

if #released > 0 then
  redis.call('PERSIST', back)
  redis.call('HSET', counts, 'journal', 'release ' .. which .. ' ' .. table.concat(claims, ' '))
  put_back(counts, expired, claims, released, 1)
elseif #claims > 0 then
  local empty = {}
  for i, claim in ipairs(claims) do
    empty[i] = lease .. claim
  end
  redis.call('DEL', unpack(empty)) -- not all of KEYS: an extended claim keeps its lease
  redis.call('ZREM', leases, unpack(claims))
end
return {#released, ended}
