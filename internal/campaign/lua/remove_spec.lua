-- remove_spec removes the spec of a campaign that does not run. It begins a deletion: without a
-- spec the gate stays closed. The history stays for a while.
-- ARGV: who removes it.
-- Returns {'removed'} or {'running'}.
local spec = KEYS[1]

if redis.call('TYPE', spec).ok == 'hash' and redis.call('HGET', spec, 'state') == 'running' then
  return {'running'}
end
if redis.call('EXISTS', spec) == 1 then
  note(KEYS, {'what', 'deleted', 'who', ARGV[1]})
  redis.call('PEXPIRE', KEYS[8], history_ms)
end
redis.call('UNLINK', spec)
return {'removed'}
