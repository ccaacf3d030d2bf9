-- beat records that a process is alive, and removes those that are not.
-- KEYS: the fleet, a hash of process id to "<beat> <end> <report>", in ms of the server's clock.
-- ARGV: process id, its report, how long it counts as alive, in ms.
--
-- Cut: the report of an earlier beat stays, or the key has no expiry. The next beat of any process
-- repairs both.
local fleet = KEYS[1]
local id, report, ttl = ARGV[1], ARGV[2], tonumber(ARGV[3])

local bad = wrong_type(fleet, 'hash')
if bad then
  return bad
end
local now = server_ms()
redis.call('PEXPIRE', fleet, ttl) -- a full Redis accepts this write
for _, dead in ipairs(ended(fleet, now)) do
  redis.call('HDEL', fleet, dead)
end
redis.call('HSET', fleet, id, whole(now) .. ' ' .. whole(now + ttl) .. ' ' .. report)
redis.call('PEXPIRE', fleet, ttl)
return 1
