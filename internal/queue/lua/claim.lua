-- claim moves up to n elements into the lease of a claim: due retries first, then what came back, then the list.
-- A claim whose lease exists gets the same elements again, and its whole lease anew.
-- Returns {now, deadline or 0, fresh, positions, values}, where no positions stand for 1, 2, 3 and so on; fresh is
-- described at dresser. Returns {'closed', field, found} when a field of the gate, which are the last ARGV with their values,
-- has another value; '' stands for an absent one.
-- KEYS: list, back, retry, leases, lease, counts, the list that settle emits to if there is one, the gate if there is one. Nothing
-- is handed out that could not be settled.
-- When cut, the next script that moves elements finishes the claim if its lease is whole, or drops the lease if it is not.
local list, back, retry, leases = KEYS[1], KEYS[2], KEYS[3], KEYS[4]
local lease, counts = KEYS[5], KEYS[6]
local claim, wanted, lease_ms = ARGV[1], tonumber(ARGV[2]), tonumber(ARGV[3])
local budget, linger_ms = tonumber(ARGV[4]), tonumber(ARGV[5])
local first_field = 6
local gate = #ARGV >= first_field and KEYS[#KEYS]
local emit = #KEYS > (gate and 7 or 6) and KEYS[7]

local bad = wrong_type(list, 'list', back, 'list', retry, 'zset', leases, 'zset', lease, 'list', counts, 'hash')
  or (emit and wrong_type(emit, 'list')) or (gate and wrong_type(gate, 'hash'))
if bad then
  return bad
end

local now = server_ms()
local noted = redis.call('HMGET', counts, 'deadline', 'guard', 'claimed', 'inflight', 'journal')
if noted[5] and noted[5] ~= '' then
  bad = recover(counts, noted[5])
  if bad then
    return bad
  end
  noted = redis.call('HMGET', counts, 'deadline', 'guard', 'claimed', 'inflight')
end
local deadline, guard = tonumber(noted[1] or 0), tonumber(noted[2] or 0)
local claimed, inflight = tonumber(noted[3] or 0), tonumber(noted[4] or 0)

if redis.call('EXISTS', lease) == 1 then
  redis.call('PERSIST', leases)
  redis.call('ZADD', leases, now + lease_ms, claim)
  local fresh, positions, values = unseal(lease)
  local held = {}
  for i, position in ipairs(positions) do
    held[i] = values[position]
  end
  return {now, deadline, fresh, positions, held}
end

for i = first_field, #ARGV, 2 do
  local found = redis.call('HGET', gate, ARGV[i]) or ''
  if found ~= ARGV[i + 1] then
    return {'closed', ARGV[i], found}
  end
end

-- The producer's expiry becomes the deadline, and the list is kept beyond it. The guard is the expiry that we set: any
-- other one is the producer's. The second of tolerance is for clocks that round. A claim leaves no list without its guard
-- once there is a deadline, so a list that lives for ever was written since, and has a deadline only when it is given one.
-- There is one deadline for all, the newest list's: those who were claimed from an older one, and are to be retried or
-- came back, may be sent to beyond what that one said, rather than the new ones end as expired by the word of a list that
-- is gone. While there is no list, the last one's word holds.
local ttl = redis.call('PTTL', list)
if ttl >= 0 and math.abs(now + ttl - guard) > 1000 then
  deadline = now + ttl
  guard = deadline + linger_ms
  redis.call('PEXPIREAT', list, guard)
  redis.call('HSET', counts, 'deadline', deadline, 'guard', guard)
elseif ttl == -1 and deadline > 0 then
  deadline = 0
  redis.call('HDEL', counts, 'deadline', 'guard')
end

local values, count, bytes, full = {}, 0, 0, false

-- take reads from one source until the claim is full or the source is empty, and returns how many elements are to be dropped there.
local function take(read)
  local used = 0
  while count < wanted and not full do
    local asked = math.min(wanted - count, 128)
    local some = read(used, asked)
    for i = 1, #some do
      local value = some[i]
      bytes = bytes + #value
      if bytes > budget and count > 0 then
        full = true
        break
      end
      used = used + 1
      count = count + 1
      values[count] = value
    end
    if #some < asked then
      break
    end
  end
  return used
end

local function first_of(key)
  return function(from, n)
    return redis.call('LRANGE', key, from, from + n - 1)
  end
end

local retries = take(function(from, n)
  return redis.call('ZRANGEBYSCORE', retry, '-inf', now, 'LIMIT', from, n)
end)
local returned = take(first_of(back))
local new = take(first_of(list))

local fresh = string.format('%.0f %.0f %.0f', retries + returned + 1, claimed, now)
if count > 0 then
  redis.call('PERSIST', leases)
  redis.call('HSET', counts, 'journal', string.format('claim %s %.0f %.0f', claim, retries, redis.call('LLEN', list)))
  redis.call('ZADD', leases, now + lease_ms, claim)
  seal(lease, values, fresh)
  if retries > 0 then
    redis.call('ZREMRANGEBYRANK', retry, 0, retries - 1)
  end
  if returned > 0 then
    redis.call('LTRIM', back, returned, -1)
  end
  if new > 0 then
    redis.call('LTRIM', list, new, -1)
  end
  redis.call('HSET', counts, 'inflight', inflight + count, 'claimed', claimed + new, 'journal', '')
end
return {now, deadline, fresh, {}, values}
