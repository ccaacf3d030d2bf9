-- deletions_lease grants a replica a few deletions of the hour's budget, fewer the less is left,
-- and takes its figures over. Its requests are numbered: repeating one grants the same and counts
-- once. ARGV: replica, number, least, share, answers since the last request, how long ago in ms the
-- first of them came, deletions withheld since. Returns {granted, ms left of the hour, ms now,
-- answers, taken, withheld, budget}.
local key = KEYS[1]
local replica, number, least, share = ARGV[1], ARGV[2], tonumber(ARGV[3]), tonumber(ARGV[4])
local answered, age_ms, refused = tonumber(ARGV[5]), tonumber(ARGV[6]), tonumber(ARGV[7])
local portion = 50 -- of what is left: many replicas must not hold the budget among them

local bad = wrong_type(key, 'hash')
if bad then
  return bad
end
local now = server_ms()
local hour = whole(math.floor(now / HOUR_MS))
local passed_ms = now % HOUR_MS
local answers, taken, withheld = figures(key, hour)
local seq, granted = 'seq:' .. replica, nil
if redis.call('HGET', key, 'hour') == hour then
  granted = string.match(redis.call('HGET', key, seq) or '', '^' .. number .. ' (%d+)$')
  redis.call('HDEL', key, '') -- no field: the write that a full Redis accepts
else
  redis.call('DEL', key)
end
if not granted then
  if age_ms <= passed_ms then -- else some came in an earlier hour
    answers = answers + answered
  end
  withheld = withheld + refused
  granted = math.max(0, math.ceil((budget_of(answers, least, share) - taken) / portion))
  taken = taken + granted
  redis.call('HSET', key, 'hour', hour, 'answers', whole(answers), 'taken', whole(taken), 'withheld', whole(withheld),
    seq, number .. ' ' .. whole(granted))
end
redis.call('PEXPIRE', key, 2 * HOUR_MS)
return {tonumber(granted), HOUR_MS - passed_ms, now, answers, taken, withheld, budget_of(answers, least, share)}
