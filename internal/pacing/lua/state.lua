-- state reads everything as of one moment. KEYS: pace, halt.
--
-- Returns {now, {field, value, ...} of pace, {reason, since and by, ...} of halt}.
local pace, halt = KEYS[1], KEYS[2]

local bad = wrong_type(pace, 'hash', halt, 'hash')
if bad then
  return bad
end
return {server_us(), redis.call('HGETALL', pace), redis.call('HGETALL', halt)}
