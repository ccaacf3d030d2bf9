-- admit grants a claim its share of the canary under a lease, or all that it wants once the canary
-- has passed; repeating it grants the same under a whole lease. A breaker that is not there begins
-- with a canary; one of size 0 has passed. Returns book.reply with the number that is granted.
local breaker = KEYS[1]
local claim, want, size = ARGV[1], tonumber(ARGV[2]), tonumber(ARGV[3])
local lease_ms, keep_ms = tonumber(ARGV[4]), ARGV[5]

local bad = wrong_type(breaker, 'hash')
if bad then
  return bad
end
local book = open(breaker)
book.tidy()
if not book.live.round then
  book.begin(0)
end
if size == 0 and not book.live.passed then
  book.set('passed', '1')
end

local function room()
  local left = size - book.number('proofs') - book.number('spent')
  for field, value in pairs(book.live) do
    if begins(field, 'lease:') then
      left = left - tonumber(string.match(value, '^%d+'))
    end
  end
  return left
end

local granted, lease = 0, 'lease:' .. claim
if book.live.trip or book.live.hold or (book.number('opens') > book.now and not book.live.passed) then
  granted = 0
elseif book.live.passed then
  granted = want
elseif book.live[lease] then
  granted = tonumber(string.match(book.live[lease], '^%d+'))
else
  granted = math.max(0, math.min(want, room()))
end
if granted > 0 and not book.live.passed then
  book.set(lease, whole(granted) .. ' ' .. whole(book.now + lease_ms))
end
return book.reply(whole(granted), keep_ms)
