-- release ends a hold after a probe that was answered, and begins a round with a canary. A hold
-- that came soon after the last one waits for its time. Returns book.reply with 'released', 'early'
-- or 'gone'.
local breaker = KEYS[1]
local keep_ms = ARGV[1]

local bad = wrong_type(breaker, 'hash')
if bad then
  return bad
end
local book = open(breaker)
local tries, next_ms = string.match(book.live.hold or '', '^%S+ %d+ (%d+) (%d+) ')
if not tries then
  return book.reply('gone')
end
if book.now < tonumber(next_ms) then
  return book.reply('early')
end
book.tidy()
book.begin(0)
book.set('probed', '1')
book.set('released', tries .. ' ' .. whole(book.now))
book.drop('^hold$')
return book.reply('released', keep_ms)
