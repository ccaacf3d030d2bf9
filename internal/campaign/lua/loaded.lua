-- loaded follows each batch of a load: a completed campaign runs again, and the load counts as going on for a while
-- (0 ms: it is over).
-- ARGV: the load, the while in ms, then the final states.
-- Returns {'loaded'}, {'deleted'} or {'final', state}.
local spec, counts, list = KEYS[1], KEYS[2], KEYS[3]
local load, patience_ms = ARGV[1], tonumber(ARGV[2])

local bad = wrong_type(spec, 'hash', counts, 'hash')
if bad then
  return bad
end
local mark = 'load:' .. load
if redis.call('HEXISTS', counts, mark) == 0 then
  return {'deleted'}
end
local state = redis.call('HGET', spec, 'state')
if state == 'completed' and redis.call('EXISTS', list) == 1 then
  enter(KEYS, 'running', '', 0)
end
redis.call('HDEL', counts, mark)
redis.call('HSET', counts, mark, whole(server_ms() + patience_ms))
if state and contains({unpack(ARGV, 3)}, state) then
  return {'final', state}
end
return {'loaded'}
