-- Precedes every script about campaigns and follows guard_list.lua.
-- Scripts about one campaign have these KEYS first: spec, counts, list, back, retry, leases,
-- outbox, history.

local function contains(list, value)
  for _, each in ipairs(list) do
    if each == value then
      return true
    end
  end
  return false
end

-- books reads counts as numbers. It returns them, whether a load runs, how many recipients have
-- an outcome, and how many were pushed by interrupted loads. If the spec has a higher value of
-- 'seen' than counts, that value is used.
local function books(spec, counts)
  local totals, loading, ended, interrupted, now = {}, false, 0, 0, server_ms()
  local fields = redis.call('HGETALL', counts)
  for i = 1, #fields, 2 do
    local field, n = fields[i], tonumber(fields[i + 1]) or 0
    totals[field] = n
    loading = loading or (string.sub(field, 1, 5) == 'load:' and n > now)
    if string.sub(field, 1, 6) == 'ended:' then
      ended = ended + math.max(0, n)
    elseif string.sub(field, 1, 9) == 'progress:' then
      interrupted = interrupted + (tonumber(string.match(fields[i + 1], '^%d+')) or 0)
    end
  end
  local recalled = tonumber(redis.call('HGET', spec, 'seen')) or 0
  if recalled > (totals.seen or 0) then
    totals.seen, totals.recount = recalled, 1
  end
  totals.known = math.max(totals.seen or totals.accepted or 0, totals.claimed or 0, ended)
  return totals, loading, ended, interrupted
end

-- guard keeps a list for as long as its campaign, or without a campaign for orphan_ms after the
-- deadline. It copies to the spec how many recipients were seen, so that a loss of the counts is
-- noticed. It returns the notes of the list, and how many recipients left the list without a
-- claim.
local function guard(keys, orphan_ms)
  local spec, counts, list = keys[1], keys[2], keys[3]
  local notes, owned, listed = read_notes(counts), redis.call('EXISTS', spec) == 1, redis.call('LLEN', list)
  guard_list(list, counts, notes, listed, owned and kept_ms or orphan_ms, server_ms())
  local recalled = owned and tonumber(redis.call('HGET', spec, 'seen')) or 0
  if recalled > notes.seen then
    redis.call('HDEL', counts, '') -- not a real field: a full Redis accepts this write
    redis.call('HSET', counts, 'recount', 1, 'seen', whole(recalled))
    notes.seen = recalled
  elseif owned and recalled < notes.seen then
    redis.call('HDEL', spec, '')
    redis.call('HSET', spec, 'seen', whole(notes.seen))
  end
  return notes, math.max(0, notes.seen - notes.claimed - listed)
end

-- keep removes the retention from a campaign's keys. An expiry of the list stays if it differs
-- from that of spec and counts: the producer or the queue set it.
local function keep(keys)
  local spec, counts, list = keys[1], keys[2], keys[3]
  local ends = math.max(redis.call('PTTL', spec), redis.call('PTTL', counts))
  if ends >= 0 and math.abs(redis.call('PTTL', list) - ends) < 100 then
    redis.call('PERSIST', list)
  end
  for _, key in ipairs(keys) do
    if key ~= list then
      redis.call('PERSIST', key)
    end
  end
end

-- How long a history is kept without a spec, in ms: keepHistory in history.go.
local history_ms = 7 * 24 * 3600 * 1000

-- note adds an entry to the history of a campaign, as add_entry does.
local function note(keys, fields)
  local spec, history = keys[1], keys[8]
  if not add_entry(history, fields) then
    return
  end
  local left = redis.call('PTTL', spec)
  if left ~= -1 then
    redis.call('PEXPIRE', history, left > 0 and left or history_ms)
  end
end

-- name_step names the change to a state, for the history.
local function name_step(spec, state)
  if state ~= 'running' then
    return state
  end
  return redis.call('HEXISTS', spec, 'started_at') == 1 and 'resumed' or 'started'
end

-- enter sets the state of a campaign, and adds it to the history unless actor is nil. The reason of
-- a running campaign is only there. The spec says who paused or cancelled a campaign, and when it
-- was paused, until the next change. A retention above 0 means that the campaign ends: spec, counts
-- and history expire, and the other keys with retain. Otherwise all keys are kept.
local function enter(keys, state, reason, retention_ms, actor)
  local spec, counts, now = keys[1], keys[2], whole(server_ms())
  if actor then
    note(keys, {'what', name_step(spec, state), 'who', actor, 'detail', reason})
  end
  local fields = {'state', state}
  local function add(field, value)
    fields[#fields + 1], fields[#fields + 2] = field, value
  end
  local stamps = redis.call('HMGET', spec, 'created_at', 'started_at')
  if not stamps[1] then
    add('created_at', now)
  end
  if state == 'running' and not stamps[2] then
    add('started_at', now)
  end
  if reason ~= '' and state ~= 'running' then -- adopt takes one for a state that an application wrote
    add('reason', reason)
  end
  if state == 'paused' then
    add('paused_at', now)
  end
  if (state == 'paused' or state == 'cancelled') and (actor or '') ~= '' then
    add(state .. '_by', actor)
  end
  if retention_ms > 0 then
    add('finished_at', now)
  else
    keep(keys) -- first: a running campaign never expires, wherever the script stops
  end
  redis.call('HDEL', spec, 'reason', 'paused_at', 'paused_by', 'cancelled_by', 'finished_at')
  redis.call('HSET', spec, unpack(fields))
  if retention_ms > 0 then
    redis.call('PEXPIRE', counts, retention_ms)
    redis.call('PEXPIRE', keys[8], retention_ms)
    redis.call('PEXPIRE', spec, retention_ms) -- last: see retain
  elseif not wrong_type(keys[3], 'list') then
    guard(keys, kept_ms)
  end
end

-- Field 'loading' of counts is the lease of the only loader that may push, and says whether it is
-- held back: "<until> <since> <held at> <held since> <limit> <load> <owner>". Times are in ms.
--
-- read_loading returns the lease of a load, a new one if it has none, and {'busy', since, until,
-- owner} if another load has the lease.
local function read_loading(counts, load)
  local ends, since, held_at, held_since, limit, holder, owner =
    string.match(redis.call('HGET', counts, 'loading') or '', '^(%d+) (%d+) (%d+) (%d+) (%d+) (%S+) (.*)$')
  if holder == load then
    return {since = since, held_at = tonumber(held_at), held_since = held_since, limit = limit, load = load}
  end
  local now = server_ms()
  local busy = holder and tonumber(ends) > now and {'busy', since, ends, owner} or nil
  return {since = whole(now), held_at = 0, held_since = '0', limit = '0', load = load}, busy
end

-- format_loading returns a lease as it is from now on.
local function format_loading(lease, lease_ms, owner)
  return table.concat({whole(server_ms() + lease_ms), lease.since, whole(lease.held_at), lease.held_since, lease.limit, lease.load, owner}, ' ')
end

-- count_open returns how many recipients of a campaign are in Redis and have no outcome.
local function count_open(counts, list)
  local fields = redis.call('HMGET', counts, 'claimed', 'ended:sent', 'ended:failed', 'ended:skipped', 'ended:expired', 'ended:unknown')
  local open = redis.call('LLEN', list) + (tonumber(fields[1]) or 0)
  for i = 2, #fields do
    open = open - (tonumber(fields[i]) or 0)
  end
  return math.max(0, open)
end
