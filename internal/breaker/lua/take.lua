-- take hands a trip on whose holder has not acted in time, which the caller has seen; of many
-- callers one wins. Returns state.reply with 'won' or 'lost'.
local breaker = KEYS[1]
local from, id, act_ms = ARGV[1], ARGV[2], tonumber(ARGV[3])

local bad = wrong_type(breaker, 'hash')
if bad then
  return bad
end
local state = open(breaker)
if state.live.trip == id then
  return state.reply('won')
end
if state.live.trip ~= from then
  return state.reply('lost')
end
state.tidy()
state.set('trip', id)
state.set('trip_until', whole(state.now + act_ms))
return state.reply('won')
