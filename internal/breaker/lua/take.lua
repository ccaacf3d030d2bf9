-- take hands a trip on whose holder has not acted in time, which the caller has seen; of many
-- callers one wins. Returns book.reply with 'won' or 'lost'.
local breaker = KEYS[1]
local from, id, act_ms = ARGV[1], ARGV[2], tonumber(ARGV[3])

local bad = wrong_type(breaker, 'hash')
if bad then
  return bad
end
local book = open(breaker)
if book.live.trip == id then
  return book.reply('won')
end
if book.live.trip ~= from then
  return book.reply('lost')
end
book.tidy()
book.set('trip', id)
book.set('trip_until', whole(book.now + act_ms))
return book.reply('won')
