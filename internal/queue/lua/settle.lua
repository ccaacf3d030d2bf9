-- settle ends leased elements or puts them off. What is no longer in its lease is left out.
-- KEYS: leases, retry, counts, the lease of each claim, and the list to emit to if there is one.
-- ARGV: how many claims; for each its id, n, n positions, n outcomes, n payloads; then the labels, a status and a code
-- each. Outcome 0 is later, with the payload "<in ms> <attempts>"; any other is the number of its label, with the
-- payload to emit, if any.
-- Returns how many were applied.
local leases, retry, counts = KEYS[1], KEYS[2], KEYS[3]
local claims = tonumber(ARGV[1])
local emit = KEYS[3 + claims + 1]

local bad = wrong_type(leases, 'zset', retry, 'zset', counts, 'hash') or (emit and wrong_type(emit, 'list'))
for c = 1, claims do
  bad = bad or wrong_type(KEYS[3 + c], 'hash')
end
if bad then
  return bad
end

local now = server_ms()
local applied, tally, emits, later = 0, {}, {}, {}

local function put_off(value, payload)
  local delay, attempts = string.match(payload, '^(%d+) (%d+)$')
  local id, rest = string.match(value, '^(%S+) %d+ (%d+ %d+ .*)$')
  later[#later + 1] = now + tonumber(delay)
  later[#later + 1] = id and (id .. ' ' .. attempts .. ' ' .. rest) or value
end

local at = 2
for c = 1, claims do
  local lease, claim, n = KEYS[3 + c], ARGV[at], tonumber(ARGV[at + 1])
  local positions, outcomes, payloads = at + 2, at + 2 + n, at + 2 + 2 * n
  at = payloads + n

  local held = redis.call('HMGET', lease, unpack(ARGV, positions, positions + n - 1))
  local removed = redis.call('HDEL', lease, unpack(ARGV, positions, positions + n - 1))
  if removed > 0 then
    applied = applied + removed
    for i = 0, n - 1 do
      local value = held[i + 1]
      if value then
        local outcome, payload = ARGV[outcomes + i], ARGV[payloads + i]
        if outcome == '0' then
          put_off(value, payload)
        else
          tally[outcome] = (tally[outcome] or 0) + 1
          if payload ~= '' then
            emits[#emits + 1] = payload
          end
        end
      end
    end
    if redis.call('EXISTS', lease) == 0 then
      redis.call('ZREM', leases, claim)
    end
  end
end

if applied > 0 then
  call_all('ZADD', retry, later)
  if #emits > 0 then
    call_all('RPUSH', emit, emits)
  end
  redis.call('HINCRBY', counts, 'inflight', -applied)
  for label, n in pairs(tally) do
    local status = ARGV[at + 2 * (tonumber(label) - 1)]
    local code = ARGV[at + 2 * (tonumber(label) - 1) + 1]
    redis.call('HINCRBY', counts, 'ended:' .. status, n)
    if code ~= '' then
      redis.call('HINCRBY', counts, 'code:' .. status .. ':' .. code, n)
    end
  end
end
return applied
