-- Stands before every script about campaigns, behind guard_list.lua. Scripts that bring a campaign into a state, guard or forget it
-- have these KEYS first: spec, counts, list, back, retry, leases, outbox.

local function contains(list, value)
  for _, each in ipairs(list) do
    if each == value then
      return true
    end
  end
  return false
end

-- books reads counts as numbers. It returns them, whether a load goes on, how many recipients have an outcome, and how many were
-- loaded by loads that were interrupted. What the spec recalls of 'seen' counts where counts have less of it.
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

-- guard keeps what waits in a list for as long as its campaign, or for orphan_ms beyond the deadline while it has none, and has the
-- spec recall how many recipients were seen: so the loss of the counts is noticed. Returns its notes, and how many recipients are
-- no longer in the list without having been claimed.
local function guard(keys, orphan_ms)
  local spec, counts, list = keys[1], keys[2], keys[3]
  local notes, owned, listed = read_notes(counts), redis.call('EXISTS', spec) == 1, redis.call('LLEN', list)
  guard_list(list, counts, notes, listed, owned and kept_ms or orphan_ms, server_ms())
  local recalled = owned and tonumber(redis.call('HGET', spec, 'seen')) or 0
  if recalled > notes.seen then
    redis.call('HDEL', counts, '') -- no field: the write that a full Redis accepts
    redis.call('HSET', counts, 'recount', 1, 'seen', whole(recalled))
    notes.seen = recalled
  elseif owned and recalled < notes.seen then
    redis.call('HDEL', spec, '')
    redis.call('HSET', spec, 'seen', whole(notes.seen))
  end
  return notes, math.max(0, notes.seen - notes.claimed - listed)
end

-- keep takes the retention off a campaign's keys, if they are under any. An expiry of the list that is not the spec's and the
-- counts', which come under retention together, is its producer's or the queue's, and stays.
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

-- enter puts a campaign into a state. A retention above 0 says that the state is an end: then spec and counts expire, and all
-- else with retain. Otherwise all stays.
local function enter(keys, state, reason, retention_ms)
  local spec, counts, now = keys[1], keys[2], whole(server_ms())
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
  if reason ~= '' then
    add('reason', reason)
  end
  if retention_ms > 0 then
    add('finished_at', now)
  else
    keep(keys) -- first: nothing that runs is under retention, wherever this is cut
  end
  redis.call('HDEL', spec, 'reason', 'finished_at')
  redis.call('HSET', spec, unpack(fields))
  if retention_ms > 0 then
    redis.call('PEXPIRE', counts, retention_ms)
    redis.call('PEXPIRE', spec, retention_ms) -- last: see retain
  elseif not wrong_type(keys[3], 'list') then
    guard(keys, kept_ms)
  end
end
