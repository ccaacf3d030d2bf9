-- complete ends a running campaign without remaining recipients: none waits, is leased or
-- retried, no result is unforwarded, some were there once, and no load runs. It ends as expired
-- if a deadline ended some of them. That is the list's deadline, which is in counts, or the
-- campaign's own, which goes before an assumed one. Its reason names recipients without an
-- outcome and interrupted loads.
-- ARGV: the retention in ms, the campaign's own deadline in ms or 0, six pieces of advice, and who
-- ends it. Three are about recipients missing from a completed campaign, from an expired one, and
-- after a loss of the counts. The others are about an interrupted load of a file, of a query, and
-- of the campaign's source.
-- Returns {'ended', number of missing recipients, reason}, {'unfinished'} or {'missing'}.
-- The number is 0 and the reason '' if the campaign had ended before.
local spec, counts, list, back = KEYS[1], KEYS[2], KEYS[3], KEYS[4]
local retry, leases, outbox = KEYS[5], KEYS[6], KEYS[7]
local retention_ms, own_deadline = tonumber(ARGV[1]), tonumber(ARGV[2])
local advice = {completed = ARGV[3], expired = ARGV[4], recount = ARGV[5], file = ARGV[6], query = ARGV[7], source = ARGV[8]}

local bad = wrong_type(spec, 'hash', counts, 'hash', list, 'list', back, 'list', retry, 'zset', leases, 'zset',
  outbox, 'list')
if bad then
  return bad
end
if redis.call('EXISTS', spec) == 0 then
  return {'missing'}
end
local state = redis.call('HGET', spec, 'state')
if state == 'completed' or state == 'expired' then
  return {'ended', '0', ''}
end
if state ~= 'running' or redis.call('EXISTS', list, back, retry, leases, outbox) > 0 then
  return {'unfinished'}
end

local totals, loading, ended, interrupted = books(spec, counts)
if loading or totals.known == 0 then
  return {'unfinished'}
end

local function passed(deadline)
  return deadline > 0 and deadline <= server_ms()
end

-- what_was_loaded names what the interrupted loads read. Only the progress of a query has a place.
local function what_was_loaded()
  local load = string.match(redis.call('HGET', counts, 'source') or '', '^%x+ (%S+)$')
  if load and redis.call('HEXISTS', counts, 'progress:' .. load) == 1 then
    return 'source'
  end
  local fields = redis.call('HGETALL', counts)
  for i = 1, #fields, 2 do
    if string.sub(fields[i], 1, 9) == 'progress:' and string.match(fields[i + 1], '^%S+ %S+ %S+ %S+ %S') then
      return 'query'
    end
  end
  return 'file'
end

local seen, steps = {}, {}
local function tell(what, step)
  seen[#seen + 1] = what
  if step then
    steps[#steps + 1] = step
  end
end

local list_deadline = totals.deadline or 0
if own_deadline > 0 and (totals.assumed or 0) > 0 then
  list_deadline = 0
end
local late = (passed(list_deadline) or passed(own_deadline)) and (totals['ended:expired'] or 0) > 0
if late then
  tell('the deadline passed before every recipient was served')
end
local missing = totals.known - ended
if missing > 0 then
  tell(whole(missing) .. ' of ' .. whole(totals.known) .. ' recipients went missing in Redis',
    totals.recount and advice.recount or late and advice.expired or advice.completed)
end
if interrupted > 0 then
  tell('a load was interrupted after ' .. whole(interrupted) .. ' recipients', not late and advice[what_was_loaded()])
end
local reason = table.concat(seen, ', and ')
if #steps > 0 then
  reason = reason .. '; ' .. table.concat(steps, '; ')
end
enter(KEYS, late and 'expired' or 'completed', reason, retention_ms, ARGV[9])
return {'ended', whole(missing), reason}
