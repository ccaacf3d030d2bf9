-- hold ends a round whose pushes get no answers, and admits no one until release. One caller wins.
--
-- ARGV: the round, an id of this attempt that identifies its repeats, the trip as JSON, its kind,
-- and its reason. Then how long the winner has to act, or '' if there is nothing to do. Then four
-- times in ms: the delay of the next canary, to keep the breaker, until a second probe, and until a
-- probe at most.
--
-- Returns state.reply with 'won' or 'lost'.
local breaker = KEYS[1]
local round, id, trip, kind, reason = ARGV[1], ARGV[2], ARGV[3], ARGV[4], ARGV[5]
local act_ms, hold_ms, keep_ms = tonumber(ARGV[6]), tonumber(ARGV[7]), ARGV[8]
local probe_ms, longest_ms = tonumber(ARGV[9]), tonumber(ARGV[10])
local again_ms = 60000 -- a hold that comes so soon after the last one waits longer for its probe

local bad = wrong_type(breaker, 'hash')
if bad then
  return bad
end
local state = open(breaker)
if begins(state.live.hold or '', id .. ' ') then
  return state.reply('won')
end
if state.live.round ~= round or state.live.trip or state.live.hold then
  return state.reply('lost')
end
local before, released = string.match(state.live.released or '', '^(%d+) (%d+)$')
local tries, wait = 1, 0
if before and state.now - tonumber(released) < again_ms then
  tries = math.min(tonumber(before), 30) + 1
  wait = math.min(probe_ms * 2 ^ (tries - 1), longest_ms)
end
state.tidy()
state.set('hold', table.concat({id, whole(state.now), whole(tries), whole(state.now + wait), kind, reason}, ' '))
state.begin(hold_ms)
state.set('last', trip)
if act_ms then
  state.set('trip', id)
  state.set('trip_until', whole(state.now + act_ms))
end
return state.reply('won', keep_ms)
