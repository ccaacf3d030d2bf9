-- extend renews the lease of each claim.
--
-- KEYS: leases.
-- ARGV: the lease in ms, then the claims.
-- Returns the claims whose lease is lost.
-- Cut: no lease or some leases are renewed, which a repeated call completes.
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
  redis.call('ZREM', leases, '') -- removes nothing: the first write must be one that a full Redis accepts
  call_all('ZADD', leases, scores)
end
return lost
