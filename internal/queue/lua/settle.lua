-- settle ends leased elements or puts them off. What is no longer in its lease is left out.
-- KEYS: leases, retry, counts, the lease of each claim, the list to emit to if there is one, and the one to emit to
-- instead unless it holds another type. That one never expires: PERSIST undoes what another program may have set.
-- ARGV: how many claims, their ids, how many labels, a status and a code for each; then groups of elements that have
-- claim and outcome in common: the number of the claim, the outcome, n, n positions, n payloads. Outcome 0 is later,
-- with payloads "<in ms> <attempts>"; any other is the number of a label, with what to emit, if anything, as payloads. A
-- label without a status is later too, and its code the cause, under which it is counted.
-- Returns how many were applied.
local leases, retry, counts = KEYS[1], KEYS[2], KEYS[3]
local claims = tonumber(ARGV[1])
local labels = tonumber(ARGV[claims + 2])
local emit, direct = KEYS[3 + claims + 1], KEYS[3 + claims + 2]
local groups = claims + 2 + 2 * labels + 1

local bad = wrong_type(leases, 'zset', retry, 'zset', counts, 'hash') or (emit and wrong_type(emit, 'list'))
for c = 1, claims do
  bad = bad or wrong_type(KEYS[3 + c], 'list')
end
if bad then
  return bad
end

local now = server_ms()
local emits, later, holdings = {}, {}, {}

-- holding reads what a claim holds, once.
local function holding(c)
  local found = holdings[c]
  if not found then
    local header = redis.call('LINDEX', KEYS[3 + c], 0) or ''
    local held, fresh = string.match(header, '^(%d+)( .*)$')
    found = {claim = ARGV[1 + c], lease = KEYS[3 + c], held = held or '', fresh = fresh, gone = {}}
    found.left = select(2, string.gsub(found.held, '1', ''))
    holdings[c] = found
  end
  return found
end

-- let_go tells whether a position was held; it is no more.
local function let_go(from, position)
  if from.gone[position] or string.sub(from.held, position, position) ~= '1' then
    return false
  end
  from.gone[position] = '0'
  from.left = from.left - 1
  return true
end

-- end_elements ends the elements whose positions are ARGV[first] to ARGV[last], and returns how many there were.
local function end_elements(from, first, last)
  local payloads, ended = last - first + 1, 0
  for i = first, last do
    if let_go(from, tonumber(ARGV[i])) then
      ended = ended + 1
      local payload = ARGV[i + payloads]
      if payload ~= '' then
        emits[#emits + 1] = payload
      end
    end
  end
  return ended
end

-- put_off does the same with elements that are to come back later.
local function put_off(from, first, last)
  local payloads, moved = last - first + 1, 0
  local fresh, _, values = unseal(from.lease)
  local dress = dresser(from.claim, fresh)
  for i = first, last do
    local position = tonumber(ARGV[i])
    if let_go(from, position) then
      moved = moved + 1
      local value = dress(position, values[position])
      local delay, attempts = string.match(ARGV[i + payloads], '^(%d+) (%d+)$')
      local id, rest = string.match(value, '^(%S+) %d+ (%d+ %d+ .*)$')
      later[#later + 1] = now + tonumber(delay)
      later[#later + 1] = id and (id .. ' ' .. attempts .. ' ' .. rest) or value
    end
  end
  return moved
end

local applied, tally, at = 0, {}, groups
while at < #ARGV do
  local from, outcome, n = holding(tonumber(ARGV[at])), tonumber(ARGV[at + 1]), tonumber(ARGV[at + 2])
  local first, last = at + 3, at + 2 + n
  local ends = outcome > 0 and ARGV[claims + 1 + 2 * outcome] ~= ''
  local done = (ends and end_elements or put_off)(from, first, last)
  if outcome > 0 then
    tally[outcome] = (tally[outcome] or 0) + done
  end
  applied = applied + done
  at = last + n + 1
end
if applied == 0 then
  return 0
end

redis.call('PERSIST', leases)
for _, from in pairs(holdings) do
  if from.left == 0 then
    redis.call('DEL', from.lease)
    redis.call('ZREM', leases, from.claim)
  else
    redis.call('LSET', from.lease, 0, string.gsub(from.held, '()1', from.gone) .. from.fresh)
  end
end
call_all('ZADD', retry, later)
if direct and not wrong_type(direct, 'list') then
  redis.call('PERSIST', direct)
  emit = direct
end
if emit then
  call_all('RPUSH', emit, emits)
end
redis.call('HINCRBY', counts, 'inflight', -applied)
for outcome, n in pairs(tally) do
  local status, code = ARGV[claims + 1 + 2 * outcome], ARGV[claims + 2 + 2 * outcome]
  if n > 0 and status == '' then
    redis.call('HINCRBY', counts, 'later:' .. code, n)
  elseif n > 0 then
    redis.call('HINCRBY', counts, 'ended:' .. status, n)
    if code ~= '' then
      redis.call('HINCRBY', counts, 'code:' .. status .. ':' .. code, n)
    end
  end
end
return applied
