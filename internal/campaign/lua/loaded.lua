-- loaded follows each batch of a load, and its end: a completed campaign runs again, and the list is guarded.
-- ARGV: the load; 'on', 'off' when it breaks off, or 'done'; for how long it counts as going on in ms, then the final states.
-- Returns {'loaded'}, {'deleted'} or {'final', state}.
local spec, counts, list = KEYS[1], KEYS[2], KEYS[3]
local load, step, patience_ms = ARGV[1], ARGV[2], tonumber(ARGV[3])

local bad = wrong_type(spec, 'hash', counts, 'hash', list, 'list')
if bad then
  return bad
end
local mark = 'load:' .. load
if redis.call('HEXISTS', counts, mark) == 0 then
  return {'deleted'}
end
redis.call('HDEL', counts, '') -- no field: the write that a full Redis accepts
redis.call('HSET', counts, mark, whole(server_ms() + (step == 'on' and patience_ms or 0))) -- begin_load removes it
if step == 'done' then
  redis.call('HDEL', counts, 'progress:' .. load)
end
local state = redis.call('HGET', spec, 'state')
if state and contains({unpack(ARGV, 4)}, state) then
  return {'final', state}
end
if state == 'completed' and redis.call('EXISTS', list) == 1 then
  enter(KEYS, 'running', '', 0)
elseif state then
  guard(KEYS, kept_ms)
end
return {'loaded'}
