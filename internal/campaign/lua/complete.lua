-- complete ends a running campaign of which nobody is left: nothing waits, is leased, is to be retried or to be
-- forwarded, something was there once, and no load goes on. It ends as expired when a deadline took somebody: the
-- list's, which is in counts, or the campaign's own. Who was loaded or claimed and has no outcome is nowhere any more: that
-- is its reason. ARGV: the retention in ms, the campaign's own deadline in ms or 0.
-- Returns {'ended', how many are nowhere}, which is 0 where it had ended before, {'goes on'} or {'missing'}.
local spec, counts, list, back = KEYS[1], KEYS[2], KEYS[3], KEYS[4]
local retry, leases, outbox = KEYS[5], KEYS[6], KEYS[7]
local retention_ms, own_deadline = tonumber(ARGV[1]), tonumber(ARGV[2])

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
  return {'ended', '0'}
end
if state ~= 'running' or redis.call('EXISTS', list, back, retry, leases, outbox) > 0 then
  return {'goes on'}
end

local totals, loading, ended = books(counts)
if loading or ((totals.claimed or 0) == 0 and (totals.accepted or 0) == 0) then
  return {'goes on'}
end

local function passed(deadline)
  return deadline > 0 and deadline <= server_ms()
end

local late = (passed(totals.deadline or 0) or passed(own_deadline)) and (totals['ended:expired'] or 0) > 0
local loaded = math.max(totals.claimed or 0, totals.accepted or 0)
local nowhere = math.max(0, loaded - ended)
local reasons = {}
if late then
  reasons[1] = 'the deadline came before everybody was served'
end
if nowhere > 0 then
  reasons[#reasons + 1] = whole(nowhere) .. ' of ' .. whole(loaded) .. ' recipients went missing in Redis: look for who deleted '
    .. list .. ' or let it expire, then load them again'
end
enter(KEYS, late and 'expired' or 'completed', table.concat(reasons, '; '), retention_ms)
return {'ended', whole(nowhere)}
