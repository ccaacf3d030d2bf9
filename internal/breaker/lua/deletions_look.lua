-- deletions_look changes nothing. Returns what deletions_lease does, with nothing granted.
local key = KEYS[1]
local least, share = tonumber(ARGV[1]), tonumber(ARGV[2])

local bad = wrong_type(key, 'hash')
if bad then
  return bad
end
local now = server_ms()
local answers, taken, withheld = figures(key, whole(math.floor(now / HOUR_MS)))
return {0, HOUR_MS - now % HOUR_MS, now, answers, taken, withheld, budget_of(answers, least, share)}
