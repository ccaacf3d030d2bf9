-- close shuts the gate for so many µs from now; what is there already is only ever extended. After it comes a ramp.
-- KEYS: pace. ARGV: channel, µs, longest gate, reason. Returns {now, era, gate}.
local pace = KEYS[1]
local channel, wait, longest_gate, reason = ARGV[1], tonumber(ARGV[2]), tonumber(ARGV[3]), ARGV[4]

local bad = wrong_type(pace, 'hash')
if bad then
  return bad
end

local now = server_us()
local held = redis.call('HMGET', pace, 'gate', 'cursor', 'era')
local gate = math.min(number(held[1], 0), now + longest_gate)
local ends = now + math.min(wait, longest_gate)
if ends <= gate then
  return {now, number(held[3], 0), gate}
end

local era = next_era(pace, now)
redis.call('PERSIST', pace)
redis.call('HSET', pace, 'gate', whole(ends), 'reason', reason, 'warm', 0, 'era', whole(era),
  'cursor', whole(math.max(ends, number(held[2], 0))))
keep(pace)
tell(channel, era)
return {now, era, ends}
