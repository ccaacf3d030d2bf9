-- pause keeps a platform of a campaign back; what it answered of the kind that this excuses is
-- forgotten. ARGV: the platform, the reason, an id of this pause, the kind, how long to keep the
-- breaker in ms, and, of a breaker that tripped, the round that it must be in and the trip as JSON.
-- Returns book.reply with 'won', or 'lost' when the round is over or the platform already paused by
-- a trip.
local breaker = KEYS[1]
local platform, reason, id, excused = ARGV[1], ARGV[2], ARGV[3], ARGV[4]
local keep_ms, round, trip = ARGV[5], ARGV[6], ARGV[7]

local bad = wrong_type(breaker, 'hash')
if bad then
  return bad
end
local book = open(breaker)
local field = 'platform:' .. platform
if begins(book.live[field] or '', id .. ' ') then
  return book.reply('won')
end
if round and (book.live.round ~= round or book.live[field]) then
  return book.reply('lost')
end
book.tidy()
if not book.live.round then
  book.begin(0)
end
book.set(field, id .. ' ' .. reason)
if trip then
  book.set('last', trip)
end
local label = excused .. ':' .. platform .. '$'
local proofs = book.drop('^canary:' .. label)
if proofs > 0 then
  book.add('proofs', -proofs)
end
book.drop('^window:%d+:' .. label)
return book.reply('won', keep_ms)
