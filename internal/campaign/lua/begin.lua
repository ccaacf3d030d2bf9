-- begin starts a draft whose time has come.
-- ARGV: the time in ms, as the caller read it; a text for the history; who starts it.
-- Returns {'begun'}, or {'early'} if it is another time now, {'other'} if it is no such draft.
local spec, counts = KEYS[1], KEYS[2]
local start_ms, detail, actor = tonumber(ARGV[1]), ARGV[2], ARGV[3]

local bad = wrong_type(spec, 'hash', counts, 'hash')
if bad then
  return bad
end
local found = redis.call('HMGET', spec, 'state', 'start_at')
if found[1] ~= 'draft' or not found[2] or found[2] == '' then
  return {'other'}
end
-- An application may have written another form of the time, which only the caller can read.
if math.max(start_ms, tonumber(found[2]) or 0) > server_ms() then
  return {'early'}
end
enter(KEYS, 'running', detail, 0, actor)
return {'begun'}
