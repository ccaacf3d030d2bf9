-- pass ends the canary of a round that looks sane, unless the round is over. Pushes without an
-- answer fill it, too. Returns state.reply with 'passed' or 'over'.
local breaker = KEYS[1]
local round, size = ARGV[1], tonumber(ARGV[2])

local bad = wrong_type(breaker, 'hash')
if bad then
  return bad
end
local state = open(breaker)
if state.live.round ~= round or (not state.live.passed and state.number('proofs') + state.number('spent') < size) then
  return state.reply('over')
end
state.tidy()
state.set('passed', '1')
state.drop('^proofs$', '^spent$', '^canary:', '^lease:')
return state.reply('passed')
