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
local left = #redis.call('HGETALL', halt) / 2
if reason == '' then
  left = 0
elseif redis.call('HEXISTS', halt, reason) == 1 then
  left = left - 1
end
if left > 0 then
  redis.call('HDEL', halt, reason)
  return {now, number(redis.call('HGET', pace, 'era'), 0), 0}
end
local era = next_era(pace, now)
if stood then
  redis.call('PERSIST', pace)
  redis.call('HSET', pace, 'warm', 0, 'era', whole(era)) -- first: a cut leaves the halt, and no pace without its ramp
  keep(pace)
  redis.call('DEL', halt)
end
tell(channel, era)
return {now, era, 1}
