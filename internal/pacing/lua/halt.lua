-- halt lets nothing go until resume; a reason that stands already keeps its date, and nobody is told again.
-- KEYS: pace, halt. ARGV: channel, reason, by. Returns {now, era}.
local pace, halt = KEYS[1], KEYS[2]
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
-- The era first: a cut voids what is leased, and leaves no halt beside permits that are spent all the same.
local era = next_era(pace, now)
redis.call('HSET', pace, 'era', whole(era))
keep(pace)
redis.call('HSET', halt, reason, whole(math.floor(now / 1000)) .. ' ' .. by)
tell(channel, era)
return {now, era}
