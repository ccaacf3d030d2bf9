-- pass ends the canary of a round that looks sane, unless the round is over. Pushes without an
-- answer fill it, too. Returns book.reply with 'passed' or 'over'.
local breaker = KEYS[1]
local round, size = ARGV[1], tonumber(ARGV[2])

local bad = wrong_type(breaker, 'hash')
if bad then
  return bad
end
local book = open(breaker)
if book.live.round ~= round or (not book.live.passed and book.number('proofs') + book.number('spent') < size) then
  return book.reply('over')
end
book.tidy()
book.set('passed', '1')
book.drop('^proofs$', '^spent$', '^canary:', '^lease:')
return book.reply('passed')
