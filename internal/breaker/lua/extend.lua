-- extend gives the admissions of claims (ARGV from the second on) a whole lease again; those that
-- are over stay so. Returns how many were extended.
local breaker = KEYS[1]
local lease_ms = tonumber(ARGV[1])

local bad = wrong_type(breaker, 'hash')
if bad then
  return bad
end
local state = open(breaker)
state.tidy()
local extended = 0
for i = 2, #ARGV do
  local lease = 'lease:' .. ARGV[i]
  if state.live[lease] then
    state.set(lease, string.match(state.live[lease], '^%d+') .. ' ' .. whole(state.now + lease_ms))
    extended = extended + 1
  end
end
state.flush()
return extended
