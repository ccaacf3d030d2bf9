-- loaded records a batch of a load, or its end. A completed campaign runs again, and the list is
-- guarded. Nothing is recorded of a batch once the load has ended: a transaction of it whose
-- connection was lost may run late.
-- ARGV: the load; 'on' after a batch, 'off' if the load is abandoned, or 'done'; how long it
-- counts as running in ms; who loads; how long the lease of the loader is in ms; its host and
-- process; the digest of the campaign's source, if it is loaded, or ''; then the final states.
-- Returns {'loaded', how many recipients are in Redis}, {'deleted'}, {'final', state} or
-- {'busy', since, until, owner} if another loader has the lease.
local spec, counts, list = KEYS[1], KEYS[2], KEYS[3]
local load, step, patience_ms, actor = ARGV[1], ARGV[2], tonumber(ARGV[3]), ARGV[4]
local lease_ms, owner, source = tonumber(ARGV[5]), ARGV[6], ARGV[7]
local abandoned = '0' -- the value of a mark

local bad = wrong_type(spec, 'hash', counts, 'hash', list, 'list')
if bad then
  return bad
end
local mark = 'load:' .. load
if redis.call('HEXISTS', counts, mark) == 0 then
  return {'deleted'}
end
local lease, busy = read_loading(counts, load)
if busy and step == 'on' then
  return busy
end
local progress = redis.call('HGET', counts, 'progress:' .. load) -- from the first batch to 'done'
if step == 'on' and (not progress or redis.call('HGET', counts, mark) == abandoned) then
  return {'loaded', whole(count_open(counts, list))}
end
if progress and step ~= 'on' then
  note(KEYS, {'what', step == 'done' and 'loaded' or 'load interrupted', 'who', actor,
    'n', string.match(progress, '^%d+') or '', 'ref', load})
end
redis.call('HDEL', counts, '') -- not a real field: a full Redis accepts this write
local until_ms = server_ms() + (step == 'on' and patience_ms or 0)
local fields = {mark, step == 'off' and abandoned or whole(until_ms)} -- begin_load removes it later
if step == 'on' then
  fields[3], fields[4] = 'loading', format_loading(lease, lease_ms, owner)
elseif not busy then
  redis.call('HDEL', counts, 'loading')
end
if source ~= '' and step == 'done' and progress then -- not when the call is repeated
  fields[#fields + 1], fields[#fields + 2] = 'source', source .. ' done ' .. string.match(progress, '^%d*')
end
redis.call('HSET', counts, unpack(fields))
if step == 'done' then
  redis.call('HDEL', counts, 'progress:' .. load)
end
local state = redis.call('HGET', spec, 'state')
if state and contains({unpack(ARGV, 8)}, state) then
  return {'final', state}
end
if state == 'completed' and redis.call('EXISTS', list) == 1 then
  enter(KEYS, 'running', '', 0, actor)
elseif state then
  guard(KEYS, kept_ms)
end
return {'loaded', whole(count_open(counts, list))}
