-- adopt puts a spec in order that an application wrote or a late audience concerns: a completed campaign whose list
-- has elements again runs again, and what runs or is paused does not expire.
-- Returns {'adopted'} or {'missing'}.
local spec, counts, list = KEYS[1], KEYS[2], KEYS[3]

local bad = wrong_type(spec, 'hash', counts, 'hash')
if bad then
  return bad
end
if redis.call('EXISTS', spec) == 0 then
  return {'missing'}
end
local state = redis.call('HGET', spec, 'state')
if state == 'running' or (state == 'completed' and redis.call('EXISTS', list) == 1) then
  enter(spec, counts, 'running', '', 0)
elseif state == 'paused' then
  redis.call('PERSIST', spec)
  redis.call('PERSIST', counts)
end
return {'adopted'}
