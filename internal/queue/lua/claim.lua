-- claim moves up to n elements into the lease of a claim: due retries first, then returned elements
-- (back), then the list. A claim that has a lease gets the same elements again and a renewed lease.
-- It hands out nothing that could not be settled.
--
-- KEYS: list, back, retry, leases, lease, counts, the list that settle emits to if any, the gate if
-- any.
-- ARGV: the claim; how many elements; the lease in ms; how many bytes; how long the list is kept
-- beyond its deadline in ms; then the gate's fields and their values, '' for an absent field.
-- Returns {now, deadline or 0, fresh, positions, values, 1 if the deadline is assumed}. No
-- positions means 1, 2, 3 and so on. See completer_of for fresh. If a field of the gate has another
-- value, it returns {'closed', field, found}.
-- Cut: the next script that moves elements finishes the claim if its lease is whole, and drops the
-- lease if not.
local list, back, retry, leases = KEYS[1], KEYS[2], KEYS[3], KEYS[4]
local lease, counts = KEYS[5], KEYS[6]
local claim, wanted, lease_ms = ARGV[1], tonumber(ARGV[2]), tonumber(ARGV[3])
local budget, keep_ms = tonumber(ARGV[4]), tonumber(ARGV[5])
local first_field = 6
local gate = #ARGV >= first_field and KEYS[#KEYS]
local emit = #KEYS > (gate and 7 or 6) and KEYS[7]

-- mistyped returns an error reply if a read failed on a key of the wrong type. This saves a look at
-- the type of each key. Keys that are only written are looked at.
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

local lease_type = redis.call('TYPE', lease).ok
if lease_type ~= 'none' then
  bad = wrong_type(lease, 'list', back, 'list', retry, 'zset')
  if bad then
    return bad
  end
  redis.call('PERSIST', leases)
  redis.call('ZADD', leases, whole(now + lease_ms), claim)
  local fresh, positions, values = read_lease(lease)
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

-- take reads from one source until the claim is full or the source is empty. It returns how many
-- elements to drop there.
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
    redis.call('LSET', list, '0', list_mark(claim) .. values[count - new + 1]) -- before the lease is whole
  end
  redis.call('ZADD', leases, whole(now + lease_ms), claim)
  write_lease(lease, values, fresh)
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
