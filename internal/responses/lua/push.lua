-- push appends results to the list of responses, which never expires: PERSIST undoes what another program may have set.
-- Returns the length of the list.
local responses = KEYS[1]

local bad = wrong_type(responses, 'list')
if bad then
  return bad
end

redis.call('PERSIST', responses)
local piece = 5000
for first = 1, #ARGV, piece do
  redis.call('RPUSH', responses, unpack(ARGV, first, math.min(first + piece - 1, #ARGV)))
end
return redis.call('LLEN', responses)
