-- change writes fields of a spec anew, all at one moment. ARGV: fields and values; one whose value is '' is removed.
-- Returns {'changed'}, {'missing'} or {'wrongtype', ...}.
local spec = KEYS[1]

local bad = wrong_type(spec, 'hash')
if bad then
  return bad
end
if redis.call('EXISTS', spec) == 0 then
  return {'missing'}
end
redis.call('HDEL', spec, '') -- no field: the write that a full Redis accepts
for i = 1, #ARGV, 2 do
  if ARGV[i + 1] == '' then
    redis.call('HDEL', spec, ARGV[i])
  else
    redis.call('HSET', spec, ARGV[i], ARGV[i + 1])
  end
end
return {'changed'}
