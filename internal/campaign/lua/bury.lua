-- bury removes the spec of a campaign that does not run, with which its gate closes for good: it begins a deletion.
-- Returns {'buried'} or {'running'}.
local spec = KEYS[1]

if redis.call('TYPE', spec).ok == 'hash' and redis.call('HGET', spec, 'state') == 'running' then
  return {'running'}
end
redis.call('UNLINK', spec)
return {'buried'}
