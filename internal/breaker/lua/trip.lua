-- trip ends a round that looks wrong, once: of all who saw it, one wins and is to act. ARGV: the
-- round; an id of this attempt, by which its repetition is recognised; the trip as JSON; how long
-- the winner has to act, and to hold back the next canary, and to keep the breaker, in ms. Returns
-- state.reply with 'won' or 'lost'.
local breaker = KEYS[1]
local round, id, trip = ARGV[1], ARGV[2], ARGV[3]
local act_ms, hold_ms, keep_ms = tonumber(ARGV[4]), tonumber(ARGV[5]), ARGV[6]

local bad = wrong_type(breaker, 'hash')
if bad then
  return bad
end
local state = open(breaker)
if state.live.trip == id then
  return state.reply('won')
end
if state.live.round ~= round or state.live.trip then
  return state.reply('lost')
end
state.tidy()
state.begin(hold_ms)
state.set('last', trip)
state.set('trip', id)
state.set('trip_until', whole(state.now + act_ms))
return state.reply('won', keep_ms)
