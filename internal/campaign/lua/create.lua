-- create writes a new spec, unless there is one.
-- ARGV: an id of this creation, which identifies a repeated call; the state; who creates it; then
-- fields and values.
-- Returns {'created'} or {'exists'}.
local spec, counts = KEYS[1], KEYS[2]
local creation, state, actor = ARGV[1], ARGV[2], ARGV[3]
local before = 3

local bad = wrong_type(spec, 'hash', counts, 'hash')
if bad then
  return bad
end
if redis.call('EXISTS', spec) == 1 then
  return {redis.call('HGET', spec, 'creation') == creation and 'created' or 'exists'}
end
note(KEYS, {'what', 'created', 'who', actor})
redis.call('HDEL', spec, '') -- not a real field: a full Redis accepts this write
redis.call('HSET', spec, 'creation', creation, 'state', state, 'created_at', whole(server_ms()), unpack(ARGV, before + 1))
enter(KEYS, state, '', 0, state ~= 'draft' and actor or nil)
return {'created'}
