-- waive gives up missing recipients, because an operator lets the campaign run without them.
-- Interrupted loads are closed.
-- ARGV: how many recipients are missing, '' to give up none; who gives them up.
-- Returns {'waived'}.
local counts = KEYS[2]

local bad = wrong_type(counts, 'hash')
if bad then
  return bad
end
if ARGV[1] ~= '' then
  note(KEYS, {'what', 'started without the missing', 'who', ARGV[2], 'n', ARGV[1]})
end
redis.call('HDEL', counts, '') -- not a real field: a full Redis accepts this write
if ARGV[1] ~= '' then
  redis.call('HSET', counts, 'waived', ARGV[1])
end
for _, field in ipairs(redis.call('HKEYS', counts)) do
  local load = string.match(field, '^progress:(.*)$')
  if load then
    redis.call('HSET', counts, 'load:' .. load, whole(server_ms())) -- as after the close of a load
    redis.call('HDEL', counts, field)
  end
end
return {'waived'}
