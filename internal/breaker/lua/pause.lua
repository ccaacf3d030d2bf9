-- pause holds back a platform of a campaign and drops its answers of the excused kind.
--
-- ARGV: the platform, the reason, an id of this pause, the excused kind, and the time to keep the
-- breaker in ms. After a trip, the round it must be in and the trip as JSON follow.
--
-- Returns state.reply with 'won'. It is 'lost' if the round is over or a trip has paused the
-- platform already.
local breaker = KEYS[1]
local platform, reason, id, excused = ARGV[1], ARGV[2], ARGV[3], ARGV[4]
local keep_ms, round, trip = ARGV[5], ARGV[6], ARGV[7]

local bad = wrong_type(breaker, 'hash')
if bad then
  return bad
end
local state = open(breaker)
local field = 'platform:' .. platform
if begins(state.live[field] or '', id .. ' ') then
  return state.reply('won')
end
if round and (state.live.round ~= round or state.live[field]) then
  return state.reply('lost')
end
state.tidy()
if not state.live.round then
  state.begin(0)
end
state.set(field, id .. ' ' .. reason)
if trip then
  state.set('last', trip)
end
local label = excused .. ':' .. platform .. '$'
local proofs = state.drop('^canary:' .. label)
if proofs > 0 then
  state.add('proofs', -proofs)
end
state.drop('^window:%d+:' .. label)
return state.reply('won', keep_ms)
