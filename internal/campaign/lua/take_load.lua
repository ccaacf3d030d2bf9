-- take_load goes on with a load that was interrupted, as another one, if it has come no further meanwhile: should its loader still
-- be there, that one pushes nothing more. ARGV: the old load, the new one, how far the old one had come, and how long the new one
-- counts as going on in ms.
-- Returns {'begun'}, {'changed', how far it has come} or {'gone'}.
local counts = KEYS[2]
local old, new, progress, patience_ms = ARGV[1], ARGV[2], ARGV[3], tonumber(ARGV[4])

local bad = wrong_type(counts, 'hash')
if bad then
  return bad
end
local found = redis.call('HGET', counts, 'progress:' .. old)
if not found then
  return redis.call('HGET', counts, 'progress:' .. new) == progress and {'begun'} or {'gone'}
end
if found ~= progress then
  return {'changed', found}
end
local fields = {'progress:' .. new, progress, 'load:' .. new, whole(server_ms() + patience_ms)}
if redis.call('HGET', counts, 'loader') == old then
  fields[#fields + 1] = 'loader'
  fields[#fields + 1] = new
end
redis.call('HDEL', counts, 'load:' .. old, 'append:' .. old)
redis.call('HSET', counts, unpack(fields))
redis.call('HDEL', counts, 'progress:' .. old)
return {'begun'}
