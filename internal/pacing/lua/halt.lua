-- halt stops sending until resume. A reason that already stands keeps its date and sends no signal.
--
-- KEYS: pace, halt, history. ARGV: channel, reason, by. Returns {now, era}.
local pace, halt, history = KEYS[1], KEYS[2], KEYS[3]
local channel, reason, by = ARGV[1], ARGV[2], ARGV[3]

local bad = wrong_type(pace, 'hash', halt, 'hash')
if bad then
  return bad
end

local now = server_us()
redis.call('PERSIST', halt)
if redis.call('HEXISTS', halt, reason) == 1 then
  return {now, number(redis.call('HGET', pace, 'era'), 0)}
end
record(history, 'halted', by, reason)
-- The era comes first. An interrupted script then voids all leases, and never leaves a halt beside
-- valid permits.
local era = next_era(pace, now)
redis.call('HSET', pace, 'era', whole(era))
keep(pace)
redis.call('HSET', halt, reason, whole(math.floor(now / 1000)) .. ' ' .. by)
signal(channel, era)
return {now, era}
