-- resume ends a halt of one reason, or of all. A ramp begins when the last one ends.
--
-- KEYS: pace, halt, history. ARGV: channel, reason or '' for all, by. Returns {now, era, 1 if no
-- halt is left}.
local pace, halt, history = KEYS[1], KEYS[2], KEYS[3]
local channel, reason, by = ARGV[1], ARGV[2], ARGV[3]

local bad = wrong_type(pace, 'hash', halt, 'hash')
if bad then
  return bad
end

local now = server_us()
local stood = redis.call('EXISTS', halt) == 1
local left = #redis.call('HGETALL', halt) / 2
local ended = reason == '' and stood or redis.call('HEXISTS', halt, reason) == 1
if reason == '' then
  left = 0
elseif ended then
  left = left - 1
end
if ended then
  record(history, 'resumed', by, reason)
end
if left > 0 then
  redis.call('HDEL', halt, reason)
  return {now, number(redis.call('HGET', pace, 'era'), 0), 0}
end
local era = next_era(pace, now)
if stood then
  redis.call('PERSIST', pace)
  -- This comes first: an interrupted script leaves the halt, and never a pace without its ramp.
  redis.call('HSET', pace, 'warm', 0, 'era', whole(era))
  keep(pace)
  redis.call('DEL', halt)
end
signal(channel, era)
return {now, era, 1}
