-- release ends a hold after an answered probe, and begins a round with a canary. A hold that came
-- soon after the last one waits for its time.
-- Returns state.reply with 'released', 'early' or 'gone'.
local breaker = KEYS[1]
local keep_ms = ARGV[1]

local bad = wrong_type(breaker, 'hash')
if bad then
  return bad
end
local state = open(breaker)
local tries, next_ms = string.match(state.live.hold or '', '^%S+ %d+ (%d+) (%d+) ')
if not tries then
  return state.reply('gone')
end
if state.now < tonumber(next_ms) then
  return state.reply('early')
end
state.tidy()
state.begin(0)
state.set('probed', '1')
state.set('released', tries .. ' ' .. whole(state.now))
state.drop('^hold$')
return state.reply('released', keep_ms)
