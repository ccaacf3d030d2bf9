-- set writes down what an operator wants, or forgets it. When that changes the rate, all that is leased is void: the cursor
-- stands where the next push may go, one interval of the new rate ahead at most.
-- KEYS: pace. ARGV: channel, the interval in force where nothing was leased yet, the new interval, then quota, headroom,
-- ramp and avoid, or none of them to forget. Returns {now, era}.
local pace = KEYS[1]
local channel, own, interval = ARGV[1], tonumber(ARGV[2]), tonumber(ARGV[3])

local bad = wrong_type(pace, 'hash')
if bad then
  return bad
end

local now = server_us()
local held = redis.call('HMGET', pace, 'cursor', 'interval', 'era')
local before, era = number(held[2], own), number(held[3], now)
redis.call('PERSIST', pace)
if ARGV[4] then
  redis.call('HSET', pace, 'quota', ARGV[4], 'headroom', ARGV[5], 'ramp', ARGV[6], 'avoid', ARGV[7])
else
  redis.call('HDEL', pace, 'quota', 'headroom', 'ramp', 'avoid')
end
if math.abs(interval - before) > 0.000001 * before then
  era = next_era(pace, now)
  local owed = math.min(1, math.max(0, number(held[1], now) - now) / before)
  redis.call('HSET', pace, 'interval', string.format('%.6f', interval), 'era', whole(era))
  if held[1] then
    redis.call('HSET', pace, 'cursor', whole(math.ceil(now + owed * interval)))
  end
end
keep(pace)
tell(channel, era)
return {now, era}
