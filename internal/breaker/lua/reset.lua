-- reset begins a new round with every platform, once for an id; the last trip stays to be looked
-- at. Returns state.reply with 'reset' or 'gone'.
local breaker = KEYS[1]
local id, hold_ms, keep_ms = ARGV[1], tonumber(ARGV[2]), ARGV[3]

local bad = wrong_type(breaker, 'hash')
if bad then
  return bad
end
local state = open(breaker)
if not state.live.round then
  return state.reply('gone')
end
if state.live.reset == id then
  return state.reply('reset')
end
state.tidy()
state.set('reset', id)
state.begin(hold_ms)
state.drop('^platform:', '^hold$', '^released$', '^trip$', '^trip_until$')
return state.reply('reset', keep_ms)
