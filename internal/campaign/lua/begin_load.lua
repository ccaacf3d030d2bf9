-- begin_load begins a load. Of two loads that do not append one is refused, unless all recipients
-- of the first are missing. A full Redis refuses it, as it would refuse the recipients. The
-- script also removes fields of loads that were closed a day ago; until then one of their calls
-- may be repeated.
-- ARGV: the load; 'append' or 'new'; 'look' (only checks) or 'begin'; how long the load counts as
-- running in ms; how many recipients are missing, which it may replace; how long its lease is in
-- ms; who loads, as a host and a process; the digest of the campaign's source, if it is loaded, or
-- ''; then the final states.
-- Returns {'begun', how many recipients are in Redis}, {'exists'}, {'final', state} or
-- {'busy', since, until, owner}.
local spec, counts, list, back, retry, leases = KEYS[1], KEYS[2], KEYS[3], KEYS[4], KEYS[5], KEYS[6]
local load, appending, begin, patience_ms = ARGV[1], ARGV[2] == 'append', ARGV[3] == 'begin', tonumber(ARGV[4])
local missing, lease_ms, owner, source = tonumber(ARGV[5]), tonumber(ARGV[6]), ARGV[7], ARGV[8]
local memory_ms, most = 24 * 3600 * 1000, 1000

local bad = wrong_type(spec, 'hash', counts, 'hash', list, 'list')
if bad then
  return bad
end
local state = redis.call('HGET', spec, 'state')
if state and contains({unpack(ARGV, 9)}, state) then
  return {'final', state}
end
local lease, busy = read_loading(counts, load)
if busy then
  return busy
end
if not appending then
  local known = redis.call('HMGET', counts, 'loader', 'accepted', 'claimed')
  local there = known[1] or known[2] or known[3] or redis.call('EXISTS', list) == 1
  if there and known[1] ~= load then
    local _, loading = books(spec, counts)
    local gone = missing > 0 and not known[3] and redis.call('EXISTS', list, back, retry, leases) == 0
    if loading or not gone then
      return {'exists'}
    end
  end
end
-- closed returns the fields of loads that are over: old marks of closed loads, and batches of
-- loads without a mark, which can push nothing.
local function closed()
  local fields, marks, gone, before = redis.call('HGETALL', counts), {}, {}, server_ms() - memory_ms
  for i = 1, #fields, 2 do
    local kind, of = string.match(fields[i], '^(%a+):(.*)$')
    if kind == 'progress' then
      marks[of] = true
    elseif kind == 'load' then
      marks[of] = marks[of] or (tonumber(fields[i + 1]) or 0) >= before
    end
  end
  for i = 1, #fields, 2 do
    local kind, of = string.match(fields[i], '^(%a+):(.*)$')
    if (kind == 'load' or kind == 'append') and not marks[of] and #gone < most then
      gone[#gone + 1] = fields[i]
    end
  end
  return gone
end

if begin then
  if not appending then
    redis.call('HSET', counts, 'loader', load)
  end
  local fields = {'replaces', whole(missing), 'load:' .. load, whole(server_ms() + patience_ms),
    'loading', format_loading(lease, lease_ms, owner)}
  if source ~= '' then
    fields[#fields + 1], fields[#fields + 2] = 'source', source .. ' ' .. load
  end
  redis.call('HSET', counts, unpack(fields))
  local gone = closed()
  if #gone > 0 then
    redis.call('HDEL', counts, unpack(gone))
  end
end
return {'begun', whole(count_open(counts, list))}
