-- move changes the state of a campaign, if the table allows it.
-- ARGV: the new state, the reason, the retention in ms (0: none), who moves it, then the states
-- that may come before.
-- Returns {'moved', from}, {'already'}, {'illegal', from} or {'missing'}.
local spec, counts = KEYS[1], KEYS[2]
local to, reason, retention_ms, actor = ARGV[1], ARGV[2], tonumber(ARGV[3]), ARGV[4]
local before = 4

local bad = wrong_type(spec, 'hash', counts, 'hash')
if bad then
  return bad
end
if redis.call('EXISTS', spec) == 0 then
  return {'missing'}
end
local from = redis.call('HGET', spec, 'state') or ''
if from == to then
  return {'already'}
end
if not contains({unpack(ARGV, before + 1)}, from) then
  return {'illegal', from}
end
enter(KEYS, to, reason, retention_ms, actor)
return {'moved', from}
