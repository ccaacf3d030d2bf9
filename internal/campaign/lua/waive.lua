-- waive gives up missing recipients, because an operator lets the campaign run without them.
-- Interrupted loads are closed.
-- ARGV: how many recipients are missing, '' to give up none; who gives them up; the digest of the
-- campaign's source, whose rest is given up, too, or ''.
-- Returns {'waived'}.
local counts = KEYS[2]
local missing, actor, source = ARGV[1], ARGV[2], ARGV[3]

local bad = wrong_type(counts, 'hash')
if bad then
  return bad
end
if missing ~= '' then
  note(KEYS, {'what', 'started without the missing', 'who', actor, 'n', missing})
end
redis.call('HDEL', counts, '') -- not a real field: a full Redis accepts this write
if missing ~= '' then
  local fields = {'waived', missing}
  local digest, load = string.match(redis.call('HGET', counts, 'source') or '', '^(%x+) (%S+)')
  if source ~= '' and not (digest == source and load == 'done') then
    local progress = digest == source and redis.call('HGET', counts, 'progress:' .. load) or '0'
    fields[3], fields[4] = 'source', source .. ' waived ' .. (string.match(progress, '^%d+') or '0')
  end
  redis.call('HSET', counts, unpack(fields))
end
for _, field in ipairs(redis.call('HKEYS', counts)) do
  local load = string.match(field, '^progress:(.*)$')
  if load then
    redis.call('HSET', counts, 'load:' .. load, whole(server_ms())) -- as after the close of a load
    redis.call('HDEL', counts, field)
  end
end
return {'waived'}
