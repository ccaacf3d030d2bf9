-- claim moves up to n elements into the lease of a claim: due retries first, then what came back, then the list.
-- A claim whose lease exists gets the same elements again, and its whole lease anew.
-- Returns {now, deadline or 0, fresh, positions, values, 1 if the deadline is assumed}, where no positions stand for 1, 2, 3
-- and so on; fresh is described at dresser. Returns {'closed', field, found} when a field of the gate, which are the last ARGV with their values,
-- has another value; '' stands for an absent one.
-- KEYS: list, back, retry, leases, lease, counts, the list that settle emits to if there is one, the gate if there is one. Nothing
-- is handed out that could not be settled.
-- When cut, the next script that moves elements finishes the claim if its lease is whole, or drops the lease if it is not.
local list, back, retry, leases = KEYS[1], KEYS[2], KEYS[3], KEYS[4]
local lease, counts = KEYS[5], KEYS[6]
local claim, wanted, lease_ms = ARGV[1], tonumber(ARGV[2]), tonumber(ARGV[3])
local budget, keep_ms = tonumber(ARGV[4]), tonumber(ARGV[5])
local first_field = 6
local gate = #ARGV >= first_field and KEYS[#KEYS]
local emit = #KEYS > (gate and 7 or 6) and KEYS[7]

-- Reads tell of a key of the wrong type, which spares a look at each; what is only written is looked at.
local function mistyped(reply, key, want)
  return type(reply) == 'table' and reply.err and (wrong_type(key, want) or reply)
end

local fields = {'journal', unpack(guard_fields)}
local listed, noted = redis.pcall('LLEN', list), redis.pcall('HMGET', counts, unpack(fields))
local bad = mistyped(listed, list, 'list') or mistyped(noted, counts, 'hash') or wrong_type(leases, 'zset')
  or (emit and wrong_type(emit, 'list'))
if bad then
  return bad
end
if noted[1] and noted[1] ~= '' then
  bad = recover(counts, noted[1])
  if bad then
    return bad
  end
  listed, noted = redis.call('LLEN', list), redis.call('HMGET', counts, unpack(fields))
end

local now = server_ms()
local notes = notes_of(noted, 1)

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
  return {now, notes.deadline, fresh, positions, kept, notes.assumed}
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

guard_list(list, counts, notes, listed, keep_ms, now)

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

local fresh = string.format('%d %d %d', retries + returned + 1, notes.claimed, now)
if count > 0 then
  redis.call('PERSIST', leases)
  redis.call('HSET', counts, 'journal', string.format('claim %s %d', claim, retries))
  if new > 0 then
    redis.call('LSET', list, '0', mark_of(claim) .. values[count - new + 1]) -- before the lease is whole
  end
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
  redis.call('HSET', counts, 'claimed', whole(notes.claimed + new), 'journal', '')
end
return {now, notes.deadline, fresh, {}, values, notes.assumed}
