-- hold ends a round whose pushes get no answers, once, and admits no one until release. Of all who
-- saw it, one wins. ARGV: the round; an id of this attempt, by which its repetition is recognised;
-- the trip as JSON, its kind and reason; how long the winner has to act, '' where there is nothing
-- to do; how long to hold back the next canary, to keep the breaker, to wait for a second probe,
-- and to wait for a probe at most, in ms. Returns book.reply with 'won' or 'lost'.
local breaker = KEYS[1]
local round, id, trip, kind, reason = ARGV[1], ARGV[2], ARGV[3], ARGV[4], ARGV[5]
local act_ms, hold_ms, keep_ms = tonumber(ARGV[6]), tonumber(ARGV[7]), ARGV[8]
local probe_ms, longest_ms = tonumber(ARGV[9]), tonumber(ARGV[10])
local again_ms = 60000 -- a hold that comes so soon after the last one waits longer for its probe

local bad = wrong_type(breaker, 'hash')
if bad then
  return bad
end
local book = open(breaker)
if begins(book.live.hold or '', id .. ' ') then
  return book.reply('won')
end
if book.live.round ~= round or book.live.trip or book.live.hold then
  return book.reply('lost')
end
local before, released = string.match(book.live.released or '', '^(%d+) (%d+)$')
local tries, wait = 1, 0
if before and book.now - tonumber(released) < again_ms then
  tries = math.min(tonumber(before), 30) + 1
  wait = math.min(probe_ms * 2 ^ (tries - 1), longest_ms)
end
book.tidy()
book.set('hold', table.concat({id, whole(book.now), whole(tries), whole(book.now + wait), kind, reason}, ' '))
book.begin(hold_ms)
book.set('last', trip)
if act_ms then
  book.set('trip', id)
  book.set('trip_until', whole(book.now + act_ms))
end
return book.reply('won', keep_ms)
