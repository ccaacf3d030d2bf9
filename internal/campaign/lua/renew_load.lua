-- renew_load extends the lease of a loader that pushes nothing for a while, and the time for which
-- its campaign cannot complete. It records that the loader is held back.
-- ARGV: the load; the load whose mark is extended, which is another one while the loader skips what
-- that one pushed; how long it counts as running in ms; how long the lease is in ms; the host and
-- process; how many recipients may be in Redis if the loader is held back by that, otherwise 0; who
-- loads; for how long the loader counts as held back in ms; then the final states.
-- Returns {'renewed', how many recipients are in Redis, state}, {'deleted'}, {'final', state} or
-- {'busy', since, until, owner}.
local spec, counts, list = KEYS[1], KEYS[2], KEYS[3]
local load, mark, patience_ms, lease_ms, owner = ARGV[1], 'load:' .. ARGV[2], tonumber(ARGV[3]), tonumber(ARGV[4]), ARGV[5]
local limit, actor, held_ms = tonumber(ARGV[6]), ARGV[7], tonumber(ARGV[8])

local bad = wrong_type(spec, 'hash', counts, 'hash', list, 'list')
if bad then
  return bad
end
local lease, busy = read_loading(counts, load)
if busy then
  return busy
end
if redis.call('HEXISTS', counts, mark) == 0 then
  return {'deleted'}
end
local state = redis.call('HGET', spec, 'state') or ''
if contains({unpack(ARGV, 9)}, state) then
  return {'final', state}
end
if limit > 0 then
  local now = server_ms()
  if lease.limit == '0' then
    note(KEYS, {'what', 'load held back', 'who', actor, 'n', whole(limit), 'ref', load})
  end
  if lease.held_at < now - held_ms then
    lease.held_since = whole(now)
  end
  lease.held_at, lease.limit = now, whole(limit)
end
redis.call('HDEL', counts, '') -- not a real field: a full Redis accepts this write
redis.call('HSET', counts, mark, whole(server_ms() + patience_ms), 'loading', format_loading(lease, lease_ms, owner))
return {'renewed', whole(count_open(counts, list)), state}
