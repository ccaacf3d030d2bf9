-- extend gives claims their whole lease anew. Returns those whose lease is lost.
local leases = KEYS[1]
local lease_ms = tonumber(ARGV[1])

local bad = wrong_type(leases, 'zset')
if bad then
  return bad
end

local ends = server_ms() + lease_ms
local lost, scores = {}, {}
for i = 2, #ARGV do
  if redis.call('ZSCORE', leases, ARGV[i]) then
    scores[#scores + 1], scores[#scores + 2] = ends, ARGV[i]
  else
    lost[#lost + 1] = ARGV[i]
  end
end
if #scores > 0 then
  redis.call('ZREM', leases, '') -- no claim: the write that a full Redis accepts
  call_all('ZADD', leases, scores)
end
return lost
