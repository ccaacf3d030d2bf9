-- lease hands out the next instants of a cursor. It gives as many as are wanted and fit into one
-- share, but at least one.
--
-- KEYS: pace, and for a project its halts.
--
-- ARGV: want, interval, ramp, avoid ('1' for the quarter hours), idle, share, horizon, longest
-- gate. Then follows what the request gives back: its id, µs, and their era. An operator's settings
-- override the replica's.
--
-- Returns {now, era, status, n, from, until, again, gate}. These are n pushes at even distances
-- from `from` to before `until`. Or n is 0, the status is not 'open', and `again` says when to ask
-- again. A want of 0 only reads the status and writes nothing.
local pace, halt = KEYS[1], KEYS[2]
local want, interval, ramp, avoid = tonumber(ARGV[1]), tonumber(ARGV[2]), tonumber(ARGV[3]), ARGV[4] == '1'
local idle, share, horizon = tonumber(ARGV[5]), tonumber(ARGV[6]), tonumber(ARGV[7])
local longest_gate, request, unspent, unspent_era = tonumber(ARGV[8]), ARGV[9], tonumber(ARGV[10]), tonumber(ARGV[11])
local quarter, away = 900000000, 120000000
local most_quota, most_headroom, longest_ramp = 60000000, 0.99, 86400000000 -- as settings.go has them
local late = 1000000 -- late pushes stay out of the avoided minutes too

local bad = wrong_type(pace, 'hash') or (halt and wrong_type(halt, 'hash'))
if bad then
  return bad
end

local now = server_us()
local fields = redis.call('HMGET', pace, 'cursor', 'warm', 'era', 'gate', 'quota', 'headroom', 'ramp', 'avoid', 'returned')
local cursor, warm = number(fields[1], now), math.min(1, number(fields[2], 0))
local era = number(fields[3], now)
local gate = math.min(number(fields[4], 0), now + longest_gate)
if fields[5] then
  local quota, headroom = number(fields[5], 0), number(fields[6], 1)
  ramp, avoid = number(fields[7], -1), fields[8] == '1'
  if quota <= 0 or quota > most_quota or headroom < 0 or headroom > most_headroom or ramp < 0 or ramp > longest_ramp then
    return redis.error_reply('ERR settings in key ' .. pace .. ' are invalid; delete them with fanfare quota reset')
  end
  interval = 60000000 / (quota * (1 - headroom))
end
-- A slow pace leases nothing before it is nearly due. A lease that becomes void would cost too much
-- time.
if interval > 100000 then
  horizon = math.min(horizon, 100000)
end
-- Before its first second the ramp has that second's rate, so that it ever begins.
local floor = math.min(1000000, ramp)

-- span returns how many µs n pushes take from a place w of the ramp on.
local function span(w, n)
  local took = 0
  if w < floor then
    local rate = floor / (interval * ramp)
    if n <= (floor - w) * rate then
      return n / rate
    end
    n, took, w = n - (floor - w) * rate, floor - w, floor
  end
  if w < ramp then
    local to = math.sqrt(w * w + 2 * n * interval * ramp)
    if to <= ramp then
      return took + to - w
    end
    n, took = n - (ramp * ramp - w * w) / (2 * interval * ramp), took + ramp - w
  end
  return took + n * interval
end

-- opening moves an instant in the avoided minutes to their end. closing returns when the next ones
-- begin.
local function opening(t)
  local into = t % quarter
  if into >= quarter - away - late then
    return t - into + quarter + away
  end
  return into < away and t - into + away or t
end
local function closing(t)
  return t - t % quarter + quarter - away - late
end

local function none(status, again)
  return {now, era, status, 0, 0, 0, again, gate}
end

if halt and redis.call('EXISTS', halt) == 1 then
  return none('halt', now)
elseif gate > now then
  return none('gate', gate)
elseif want == 0 then
  return none('open', now)
end

-- A request whose reply was lost comes again. It must not give back twice.
local returned = fields[9] or ''
if unspent > 0 and unspent_era == era and cursor > now and not string.find(returned, request, 1, true) then
  local back = math.min(unspent, cursor - now)
  cursor = cursor - back
  warm = math.max(0, warm - back / math.max(ramp, 1))
  returned = string.sub(request .. ' ' .. returned, 1, 32 * (#request + 1))
end

-- Shares are shorter than a second, so they cannot move the cursor farther than this. Such a cursor
-- is older than a correction of the clock or the rate. Waiting for it could take hours.
local farthest = now + horizon + 1000000 + math.ceil(span(0, 1))
if cursor > farthest then
  redis.call('PERSIST', pace)
  redis.call('HSET', pace, 'cursor', whole(farthest))
  keep(pace)
  return none('ahead', farthest - horizon)
end
local from = math.max(cursor, now)
local gap = math.max(0, now - cursor)
if avoid then
  local opens = opening(from)
  gap, from = gap + opens - from, opens
end
if from > now + horizon then
  return none('ahead', from - horizon)
end

-- Unused time cools the ramp, and a pause of `idle` cools it fully. So a trickle of pushes does not
-- warm it.
warm = math.max(0, warm - gap / idle)
local place = warm * ramp
local rate = ramp > 0 and math.max(place, floor) / ramp / interval or 1 / interval
local n = math.min(want, math.max(1, math.floor(rate * share)))
local ends = from + math.ceil(span(place, n))
if avoid and ends > closing(from) then
  n = math.max(1, math.floor(n * (closing(from) - from) / (ends - from)))
  ends = from + math.ceil(span(place, n))
end
if ramp > 0 then
  warm = math.min(1, warm + (ends - from) / ramp)
else
  warm = 1
end

redis.call('PERSIST', pace)
redis.call('HSET', pace, 'cursor', whole(ends), 'warm', string.format('%.9f', warm), 'era', whole(era),
  'interval', string.format('%.6f', interval), 'returned', returned)
if not fields[5] then
  keep(pace)
end
return {now, era, 'open', n, from, ends, now, gate}
