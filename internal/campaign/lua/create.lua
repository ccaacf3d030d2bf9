-- create writes a new spec, unless there is one. ARGV: an id of this creation, by which its repetition is recognised;
-- the state; then fields and values.
-- Returns {'created'} or {'exists'}.
local spec, counts = KEYS[1], KEYS[2]
local creation, state = ARGV[1], ARGV[2]
local before = 2

local bad = wrong_type(spec, 'hash', counts, 'hash')
if bad then
  return bad
end
if redis.call('EXISTS', spec) == 1 then
  return {redis.call('HGET', spec, 'creation') == creation and 'created' or 'exists'}
end
enter(KEYS, state, '', 0)
redis.call('HSET', spec, 'creation', creation, unpack(ARGV, before + 1))
return {'created'}
