-- expired returns the claims whose lease has run out.
local leases = KEYS[1]

local bad = wrong_type(leases, 'zset')
if bad then
  return bad
end
return redis.call('ZRANGEBYSCORE', leases, '-inf', server_ms())
