-- trip ends a round that looks wrong, once: of all who saw it, one wins and is to act. ARGV: the
-- round; an id of this attempt, by which its repetition is recognised; the trip as JSON; how long
-- the winner has to act, and to hold back the next canary, and to keep the breaker, in ms. Returns
-- book.reply with 'won' or 'lost'.
local breaker = KEYS[1]
local round, id, trip = ARGV[1], ARGV[2], ARGV[3]
local act_ms, hold_ms, keep_ms = tonumber(ARGV[4]), tonumber(ARGV[5]), ARGV[6]

local bad = wrong_type(breaker, 'hash')
if bad then
  return bad
end
local book = open(breaker)
if book.live.trip == id then
  return book.reply('won')
end
if book.live.round ~= round or book.live.trip then
  return book.reply('lost')
end
book.tidy()
book.begin(hold_ms)
book.set('last', trip)
book.set('trip', id)
book.set('trip_until', whole(book.now + act_ms))
return book.reply('won', keep_ms)
