-- peek reads the head of an outbox for the process that holds the forwarder's lock, and takes or prolongs that lock.
-- The lock only keeps processes from doing the same work twice; trim is what makes forwarding safe.
-- Returns {how many wait, the first of them up to a number and a budget of bytes}; none of them when the lock is another's.
local outbox, lock = KEYS[1], KEYS[2]
local owner, lock_ms = ARGV[1], ARGV[2]
local n, budget = tonumber(ARGV[3]), tonumber(ARGV[4])

local bad = wrong_type(outbox, 'list', lock, 'string')
if bad then
  return bad
end

local waiting = redis.call('LLEN', outbox)
local holder = redis.call('GET', lock)
if waiting == 0 or (holder and holder ~= owner) then
  return {waiting, {}}
end
redis.call('DEL', lock)
redis.call('SET', lock, owner, 'PX', lock_ms)
return {waiting, head(outbox, 0, n, budget)}
