-- extend gives the admissions of claims (ARGV from the second on) a whole lease again; those that
-- are over stay so. Returns how many were extended.
local breaker = KEYS[1]
local lease_ms = tonumber(ARGV[1])

local bad = wrong_type(breaker, 'hash')
if bad then
  return bad
end
local book = open(breaker)
book.tidy()
local extended = 0
for i = 2, #ARGV do
  local lease = 'lease:' .. ARGV[i]
  if book.live[lease] then
    book.set(lease, string.match(book.live[lease], '^%d+') .. ' ' .. whole(book.now + lease_ms))
    extended = extended + 1
  end
end
book.flush()
return extended
