-- resume takes back a halt of one reason, or of all. Where that was the last one, a ramp begins.
-- KEYS: pace, halt. ARGV: channel, reason or '' for all. Returns {now, era, 1 if nothing holds the project any more}.
local pace, halt = KEYS[1], KEYS[2]
local channel, reason = ARGV[1], ARGV[2]

local bad = wrong_type(pace, 'hash', halt, 'hash')
if bad then
  return bad
end

local now = server_us()
local stood = redis.call('EXISTS', halt) == 1
if reason == '' then
  redis.call('DEL', halt)
else
  redis.call('HDEL', halt, reason)
end
if redis.call('EXISTS', halt) == 1 then
  return {now, number(redis.call('HGET', pace, 'era'), 0), 0}
end
local era = next_era(pace, now)
if stood then
  redis.call('HSET', pace, 'warm', 0, 'era', whole(era))
  keep(pace)
end
tell(channel, era)
return {now, era, 1}
