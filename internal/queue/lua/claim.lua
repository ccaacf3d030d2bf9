-- claim moves up to n elements into the lease of a claim: due retries first, then what came back, then the list.
-- A claim whose lease exists gets the same elements again, and its whole lease anew.
-- Returns {now, deadline or 0, {position, value, ...}}, or {'closed', found} when the gate does not hold its value.
local list, back, retry, leases = KEYS[1], KEYS[2], KEYS[3], KEYS[4]
local lease, counts, gate = KEYS[5], KEYS[6], KEYS[7]
local claim, wanted, lease_ms = ARGV[1], tonumber(ARGV[2]), tonumber(ARGV[3])
local budget, linger_ms = tonumber(ARGV[4]), tonumber(ARGV[5])
local gate_field, gate_value = ARGV[6], ARGV[7]

local bad = wrong_type(list, 'list', back, 'list', retry, 'zset', leases, 'zset', lease, 'hash', counts, 'hash')
  or (gate and wrong_type(gate, 'hash'))
if bad then
  return bad
end

local now = server_ms()
local noted = redis.call('HMGET', counts, 'deadline', 'guard', 'claimed')
local deadline, guard, claimed = tonumber(noted[1] or 0), tonumber(noted[2] or 0), tonumber(noted[3] or 0)

if redis.call('EXISTS', lease) == 1 then
  redis.call('ZREM', leases, claim)
  redis.call('ZADD', leases, now + lease_ms, claim)
  local held = redis.call('HGETALL', lease)
  for i = 1, #held, 2 do
    held[i] = tonumber(held[i])
  end
  return {now, deadline, held}
end

if gate then
  local found = redis.call('HGET', gate, gate_field) or ''
  if found ~= gate_value then
    return {'closed', found}
  end
end

-- The producer's expiry becomes the deadline, and the list is kept beyond it. The guard is the expiry that we set: any
-- other one is the producer's. The second of tolerance is for clocks that round. A list that lives for ever although
-- the deadline has passed is a new audience.
local ttl = redis.call('PTTL', list)
if ttl >= 0 and math.abs(now + ttl - guard) > 1000 then
  deadline = now + ttl
  guard = deadline + linger_ms
  redis.call('PEXPIREAT', list, guard)
  redis.call('HSET', counts, 'deadline', deadline, 'guard', guard)
elseif ttl == -1 and deadline > 0 and deadline <= now then
  deadline = 0
  redis.call('HDEL', counts, 'deadline', 'guard')
end

local taken, bytes, full = {}, 0, false

-- take reads pieces from one source and drops what was used, until the claim is full or the source is empty.
-- dress makes the value to keep out of what was read.
local function take(read, drop, dress)
  while wanted > 0 and not full do
    local asked = math.min(wanted, 128)
    local piece, used = read(asked), 0
    for _, value in ipairs(piece) do
      if #taken > 0 and bytes + #value > budget then
        full = true
        break
      end
      used = used + 1
      bytes = bytes + #value
      taken[#taken + 1] = #taken / 2 + 1
      taken[#taken + 1] = dress and dress(value) or value
    end
    if used > 0 then
      drop(used)
      wanted = wanted - used
    end
    if #piece < asked then
      return
    end
  end
end

take(function(n)
  return redis.call('ZRANGEBYSCORE', retry, '-inf', now, 'LIMIT', 0, n)
end, function(n)
  redis.call('ZREMRANGEBYRANK', retry, 0, n - 1)
end)

local function first_of(key)
  return function(n)
    return redis.call('LRANGE', key, 0, n - 1)
  end
end
local function trim(key)
  return function(n)
    redis.call('LTRIM', key, n, -1)
  end
end
take(first_of(back), trim(back))

local fresh, unborn = 0, ' 0 0 ' .. string.format('%.0f', now) .. ' '
take(first_of(list), trim(list), function(raw)
  fresh = fresh + 1
  return claim .. ':' .. string.format('%.0f', claimed + fresh) .. unborn .. raw
end)

if #taken > 0 then
  call_all('HSET', lease, taken)
  redis.call('ZADD', leases, now + lease_ms, claim)
  redis.call('HINCRBY', counts, 'inflight', #taken / 2)
  if fresh > 0 then
    redis.call('HINCRBY', counts, 'claimed', fresh)
  end
end
return {now, deadline, taken}
