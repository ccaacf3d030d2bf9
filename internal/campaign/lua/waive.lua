-- waive gives up what is missing: a person lets the campaign go without it. Loads that were interrupted are over. ARGV: how many
-- recipients are missing, '' to give up none.
-- Returns {'waived'}.
local counts = KEYS[2]

local bad = wrong_type(counts, 'hash')
if bad then
  return bad
end
redis.call('HDEL', counts, '') -- no field: the write that a full Redis accepts
if ARGV[1] ~= '' then
  redis.call('HSET', counts, 'waived', ARGV[1])
end
for _, field in ipairs(redis.call('HKEYS', counts)) do
  local load = string.match(field, '^progress:(.*)$')
  if load then
    redis.call('HSET', counts, 'load:' .. load, whole(server_ms())) -- as it is when a load is closed
    redis.call('HDEL', counts, field)
  end
end
return {'waived'}
