-- reset begins a new round with every platform, once for an id; the last trip stays to be looked
-- at. Returns book.reply with 'reset' or 'gone'.
local breaker = KEYS[1]
local id, hold_ms, keep_ms = ARGV[1], tonumber(ARGV[2]), ARGV[3]

local bad = wrong_type(breaker, 'hash')
if bad then
  return bad
end
local book = open(breaker)
if not book.live.round then
  return book.reply('gone')
end
if book.live.reset == id then
  return book.reply('reset')
end
book.tidy()
book.set('reset', id)
book.begin(hold_ms)
book.drop('^platform:', '^hold$', '^released$', '^trip$', '^trip_until$')
return book.reply('reset', keep_ms)
