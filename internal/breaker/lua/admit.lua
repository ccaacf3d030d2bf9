-- admit grants a claim its share of the canary under a lease, or all that it wants once the canary
-- has passed; repeating it grants the same under a whole lease. A breaker that is not there begins
-- with a canary; one of size 0 has passed. After a probe, the canary is only as large as a trial
-- until a push of it is answered. Returns state.reply with the number that is granted.
--
-- ARGV: the claim, how many it wants, and the sizes of a canary and of a trial. Then two times in
-- ms: the lease, and to keep the breaker.
local breaker = KEYS[1]
local claim, want, size, trial = ARGV[1], tonumber(ARGV[2]), tonumber(ARGV[3]), tonumber(ARGV[4])
local lease_ms, keep_ms = tonumber(ARGV[5]), ARGV[6]

local bad = wrong_type(breaker, 'hash')
if bad then
  return bad
end
local state = open(breaker)
state.tidy()
if not state.live.round then
  state.begin(0)
end
if size == 0 and not state.live.passed then
  state.set('passed', '1')
end

local function room()
  local places = state.live.probed and state.number('proofs') == 0 and trial or size
  local left = places - state.number('proofs') - state.number('spent')
  for field, value in pairs(state.live) do
    if begins(field, 'lease:') then
      left = left - tonumber(string.match(value, '^%d+'))
    end
  end
  return left
end

local granted, lease = 0, 'lease:' .. claim
if state.live.trip or state.live.hold or (state.number('opens') > state.now and not state.live.passed) then
  granted = 0
elseif state.live.passed then
  granted = want
elseif state.live[lease] then
  granted = tonumber(string.match(state.live[lease], '^%d+'))
else
  granted = math.max(0, math.min(want, room()))
end
if granted > 0 and not state.live.passed then
  state.set(lease, whole(granted) .. ' ' .. whole(state.now + lease_ms))
end
return state.reply(whole(granted), keep_ms)
