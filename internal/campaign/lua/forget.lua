-- forget checks a campaign without a spec, and removes its counts if nothing is left. If
-- recipients have vanished, the counts are kept for a while.
-- ARGV: how long, in ms.
-- Returns {'forgotten'}, or why the campaign is kept: {'waiting'}: recipients wait for a message.
-- {'loading'}: a load runs. {'unsettled'}: only results are left. {'vanished', n}: the
-- counts say that n more recipients were there. {'written'}: there is a spec.
local spec, counts, list, back = KEYS[1], KEYS[2], KEYS[3], KEYS[4]
local retry, leases, outbox = KEYS[5], KEYS[6], KEYS[7]

local bad = wrong_type(counts, 'hash')
if bad then
  return bad
end
if redis.call('EXISTS', spec) == 1 then
  return {'written'}
end
if redis.call('EXISTS', list, back, retry, leases) > 0 then
  return {'waiting'}
end
local totals, loading, ended = books(spec, counts)
if loading then
  return {'loading'}
end
if redis.call('EXISTS', outbox) == 1 then
  return {'unsettled'}
end
if totals.known > ended then
  if redis.call('PTTL', counts) == -1 then
    redis.call('PEXPIRE', counts, ARGV[1])
  end
  return {'vanished', whole(totals.known - ended)}
end
redis.call('UNLINK', counts)
return {'forgotten'}
