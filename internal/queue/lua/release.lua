-- release ends claims and puts what is left of them at the head of back, in the order in which it was claimed.
-- With 'expired', only claims whose lease has run out, and each of their elements is counted as lost once more.
-- KEYS: leases, back, counts, the lease of each claim, newest first. ARGV: 'expired' or 'all', how many elements are enough
-- for one script, then the claims.
-- Returns how many elements went back, and how many claims were ended: those behind are for another call.
local leases, back, counts = KEYS[1], KEYS[2], KEYS[3]
local expired, enough = ARGV[1] == 'expired', tonumber(ARGV[2])
local before = 2

local bad = wrong_type(leases, 'zset', back, 'list', counts, 'hash')
for k = 4, #KEYS do
  bad = bad or wrong_type(KEYS[k], 'list')
end
if bad then
  return bad
end

local now = server_ms()
local released = {}

local function mark_lost(value)
  local head, lost, rest = string.match(value, '^(%S+ %d+ )(%d+)( %d+ .*)$')
  return head and (head .. string.format('%.0f', lost + 1) .. rest) or value
end

local function due(claim)
  if not expired then
    return true
  end
  local ends = redis.call('ZSCORE', leases, claim)
  return ends and tonumber(ends) <= now
end

local ended = 0
while ended < #ARGV - before and #released < enough do
  ended = ended + 1
  local claim, lease = ARGV[before + ended], KEYS[3 + ended]
  if due(claim) then
    local fresh, positions, values = unseal(lease)
    local dress = dresser(claim, fresh)
    redis.call('ZREM', leases, claim)
    redis.call('DEL', lease)
    for p = #positions, 1, -1 do
      local value = dress(positions[p], values[positions[p]])
      released[#released + 1] = expired and mark_lost(value) or value
    end
  end
end

if #released > 0 then
  call_all('LPUSH', back, released)
  redis.call('HINCRBY', counts, 'inflight', -#released)
  if expired then
    redis.call('HINCRBY', counts, 'reaped', #released)
  end
end
return {#released, ended}
