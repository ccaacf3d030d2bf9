-- confirm notes that a trip was acted on: canaries may start again.
-- Returns book.reply with 'confirmed' or 'lost' (another one has it by now).
local breaker = KEYS[1]
local id = ARGV[1]

local bad = wrong_type(breaker, 'hash')
if bad then
  return bad
end
local book = open(breaker)
if book.live.trip and book.live.trip ~= id then
  return book.reply('lost')
end
book.tidy()
book.drop('^trip$', '^trip_until$')
return book.reply('confirmed')
