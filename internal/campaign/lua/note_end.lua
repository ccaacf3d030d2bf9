-- note_end notes who logs the end of a cancelled campaign, so that only one process does.
-- ARGV: an id of this call, which identifies a repeated call.
-- Returns {'noted'}, or {'other'} if another call was first or the campaign is not cancelled.
local spec, counts = KEYS[1], KEYS[2]
local call = ARGV[1]

local bad = wrong_type(spec, 'hash', counts, 'hash')
if bad then
  return bad
end
local found = redis.call('HMGET', spec, 'state', 'end_logged')
if found[1] ~= 'cancelled' or found[2] and found[2] ~= call then
  return {'other'}
end
redis.call('HDEL', spec, '') -- not a real field: a full Redis accepts this write
redis.call('HSET', spec, 'end_logged', call)
return {'noted'}
