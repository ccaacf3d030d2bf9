-- begin_load lets a load begin, once: of two that do not append, one is refused. A full Redis refuses it, as it
-- would the recipients. ARGV: the load; 'append' or 'new'; 'look' (which changes nothing) or 'begin'; how long the load
-- counts as going on in ms; then the final states.
-- Returns {'begun'}, {'exists'} or {'final', state}.
local spec, counts, list = KEYS[1], KEYS[2], KEYS[3]
local load, appending, begin, patience_ms = ARGV[1], ARGV[2] == 'append', ARGV[3] == 'begin', tonumber(ARGV[4])

local bad = wrong_type(spec, 'hash', counts, 'hash', list, 'list')
if bad then
  return bad
end
local state = redis.call('HGET', spec, 'state')
if state and contains({unpack(ARGV, 5)}, state) then
  return {'final', state}
end
if not appending then
  local known = redis.call('HMGET', counts, 'loader', 'accepted', 'claimed')
  if known[1] ~= load and (known[1] or known[2] or known[3] or redis.call('EXISTS', list) == 1) then
    return {'exists'}
  end
end
if begin then
  if not appending then
    redis.call('HSET', counts, 'loader', load)
  end
  redis.call('HSET', counts, 'load:' .. load, whole(server_ms() + patience_ms))
end
return {'begun'}
