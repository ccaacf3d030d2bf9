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

-- Reads tell of a key of the wrong type, which spares a look at each; what is only written is looked at.
local function mistyped(reply, key, want)
  return type(reply) == 'table' and reply.err and (wrong_type(key, want) or reply)
end

local fields = {'deadline', 'guard', 'claimed', 'inflight', 'journal'}
local listed, noted = redis.pcall('LLEN', list), redis.pcall('HMGET', counts, unpack(fields))
local bad = mistyped(listed, list, 'list') or mistyped(noted, counts, 'hash') or wrong_type(leases, 'zset')
  or (emit and wrong_type(emit, 'list'))
if bad then
  return bad
end
if noted[5] and noted[5] ~= '' then
  bad = recover(counts, noted[5])
  if bad then
    return bad
  end
  listed, noted = redis.call('LLEN', list), redis.call('HMGET', counts, unpack(fields))
end

local now = server_ms()
local deadline, guard = tonumber(noted[1] or 0), tonumber(noted[2] or 0)
local claimed, inflight = tonumber(noted[3] or 0), tonumber(noted[4] or 0)

local held = redis.call('TYPE', lease).ok
if held ~= 'none' then
  bad = wrong_type(lease, 'list', back, 'list', retry, 'zset')
  if bad then
    return bad
  end
  redis.call('PERSIST', leases)
  redis.call('ZADD', leases, whole(now + lease_ms), claim)
  local fresh, positions, values = unseal(lease)
  local kept = {}
  for i, position in ipairs(positions) do
    kept[i] = values[position]
  end
  return {now, deadline, fresh, positions, kept}
end

if gate then
  local names = {}
  for i = first_field, #ARGV, 2 do
    names[#names + 1] = ARGV[i]
  end
  local found = redis.pcall('HMGET', gate, unpack(names))
  bad = mistyped(found, gate, 'hash')
  if bad then
    return bad
  end
  for i, name in ipairs(names) do
    if (found[i] or '') ~= ARGV[first_field + 2 * i - 1] then
      return {'closed', name, found[i] or ''}
    end
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
local function take(key, want, read)
  local used = 0
  while count < wanted and not full do
    local asked = math.min(wanted - count, 128)
    local some = read(key, used, asked)
    bad = mistyped(some, key, want)
    if bad then
      return 0
    end
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

local function head(key, from, n)
  return redis.pcall('LRANGE', key, whole(from), whole(from + n - 1))
end

local function due(key, from, n)
  return redis.pcall('ZRANGEBYSCORE', key, '-inf', whole(now), 'LIMIT', whole(from), whole(n))
end

local retries = take(retry, 'zset', due)
local returned = bad and 0 or take(back, 'list', head)
local new = bad and 0 or take(list, 'list', head)
if bad then
  return bad
end

local fresh = string.format('%d %d %d', retries + returned + 1, claimed, now)
if count > 0 then
  redis.call('PERSIST', leases)
  redis.call('HSET', counts, 'journal', string.format('claim %s %d %d', claim, retries, listed))
  redis.call('ZADD', leases, whole(now + lease_ms), claim)
  seal(lease, values, fresh)
  if retries > 0 then
    redis.call('ZREMRANGEBYRANK', retry, '0', whole(retries - 1))
  end
  if returned > 0 then
    redis.call('LTRIM', back, whole(returned), '-1')
  end
  if new > 0 then
    redis.call('LTRIM', list, whole(new), '-1')
  end
  redis.call('HSET', counts, 'inflight', whole(inflight + count), 'claimed', whole(claimed + new), 'journal', '')
end
return {now, deadline, fresh, {}, values}
