-- confirm notes that a trip was acted on: canaries may start again.
-- Returns state.reply with 'confirmed' or 'lost' (another one has it by now).
local breaker = KEYS[1]
local id = ARGV[1]

local bad = wrong_type(breaker, 'hash')
if bad then
  return bad
end
local state = open(breaker)
if state.live.trip and state.live.trip ~= id then
  return state.reply('lost')
end
state.tidy()
state.drop('^trip$', '^trip_until$')
return state.reply('confirmed')
