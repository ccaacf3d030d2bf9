-- extend gives claims their whole lease anew. Returns those whose lease is lost.
local leases = KEYS[1]
local lease_ms = tonumber(ARGV[1])

local bad = wrong_type(leases, 'zset')
if bad then
  return bad
end

local ends = server_ms() + lease_ms
local lost = {}
for i = 2, #ARGV do
  local claim = ARGV[i]
  if redis.call('ZREM', leases, claim) == 1 then
    redis.call('ZADD', leases, ends, claim)
  else
    lost[#lost + 1] = claim
  end
end
return lost
