-- push appends results to the list of responses. That list never expires: PERSIST removes an expiry
-- that another program may have set.
--
-- KEYS: the list of responses.
-- ARGV: the results.
-- Returns the length of the list.
-- Cut: some results may be pushed. A repeated call pushes all again, as copies.
local responses = KEYS[1]

local bad = wrong_type(responses, 'list')
if bad then
  return bad
end

redis.call('PERSIST', responses)
local max_unpack = 5000
for first = 1, #ARGV, max_unpack do
  redis.call('RPUSH', responses, unpack(ARGV, first, math.min(first + max_unpack - 1, #ARGV)))
end
return redis.call('LLEN', responses)
