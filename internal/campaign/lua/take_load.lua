-- take_load continues an interrupted load as a new one, if it has not come further meanwhile. The
-- old loader pushes nothing more, should it still run.
-- ARGV: the old load; the new one; the progress of the old one; how long the new one counts as
-- running in ms; how long its lease is in ms; its host and process; the digest
-- of the campaign's source, if it is loaded, or ''.
-- Returns {'begun'}, {'changed', its progress}, {'gone'} or {'busy', since, until, owner}.
local counts = KEYS[2]
local old, new, progress, patience_ms = ARGV[1], ARGV[2], ARGV[3], tonumber(ARGV[4])
local lease_ms, owner, source = tonumber(ARGV[5]), ARGV[6], ARGV[7]

local bad = wrong_type(counts, 'hash')
if bad then
  return bad
end
local lease, busy = read_loading(counts, new)
if busy then
  return busy
end
local found = redis.call('HGET', counts, 'progress:' .. old)
if not found then
  return redis.call('HGET', counts, 'progress:' .. new) == progress and {'begun'} or {'gone'}
end
if found ~= progress then
  return {'changed', found}
end
local fields = {'progress:' .. new, progress, 'load:' .. new, whole(server_ms() + patience_ms),
  'loading', format_loading(lease, lease_ms, owner)}
if source ~= '' then
  fields[#fields + 1], fields[#fields + 2] = 'source', source .. ' ' .. new
end
redis.call('HDEL', counts, 'load:' .. old, 'append:' .. old)
redis.call('HSET', counts, unpack(fields))
redis.call('HDEL', counts, 'progress:' .. old)
return {'begun'}
