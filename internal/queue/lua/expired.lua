-- expired lists the claims whose lease has run out.
--
-- KEYS: leases.
-- ARGV: none.
-- Returns the claims, the earliest end first.
-- Cut: it writes nothing.
local leases = KEYS[1]

local bad = wrong_type(leases, 'zset')
if bad then
  return bad
end
return redis.call('ZRANGEBYSCORE', leases, '-inf', server_ms())
