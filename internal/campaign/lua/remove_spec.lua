-- remove_spec removes the spec of a campaign that does not run. It begins a deletion: without a
-- spec the gate stays closed.
-- Returns {'removed'} or {'running'}.
local spec = KEYS[1]

if redis.call('TYPE', spec).ok == 'hash' and redis.call('HGET', spec, 'state') == 'running' then
  return {'running'}
end
redis.call('UNLINK', spec)
return {'removed'}
