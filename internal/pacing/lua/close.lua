-- close closes the gate until some µs from now. It extends a closed gate and never shortens it. A
-- ramp follows.
--
-- KEYS: pace. ARGV: channel, µs, longest gate, reason, by. Returns {now, era, gate}.
local pace = KEYS[1]
local channel, wait, longest_gate = ARGV[1], tonumber(ARGV[2]), tonumber(ARGV[3])
local reason, by = ARGV[4], ARGV[5]

local bad = wrong_type(pace, 'hash')
if bad then
  return bad
end

local now = server_us()
local fields = redis.call('HMGET', pace, 'gate', 'cursor', 'era')
local gate = math.min(number(fields[1], 0), now + longest_gate)
local ends = now + math.min(wait, longest_gate)
if ends <= gate then
  return {now, number(fields[3], 0), gate}
end

local era = next_era(pace, now)
redis.call('PERSIST', pace)
redis.call('HSET', pace, 'gate', whole(ends), 'reason', reason, 'by', whole(ends) .. ' ' .. by, 'warm', 0,
  'era', whole(era), 'cursor', whole(math.max(ends, number(fields[2], 0))))
keep(pace)
signal(channel, era)
return {now, era, ends}
