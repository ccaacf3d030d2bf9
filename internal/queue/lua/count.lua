-- count reads the books at one moment. KEYS: list, back, retry, counts, and the list that is emitted to, if any.
-- Returns {listed, back, retrying, emitted and waiting, {field, value, ...} of counts}.
local list, back, retry, counts, emit = KEYS[1], KEYS[2], KEYS[3], KEYS[4], KEYS[5]

local bad = wrong_type(list, 'list', back, 'list', retry, 'zset', counts, 'hash') or (emit and wrong_type(emit, 'list'))
if bad then
  return bad
end
return {
  redis.call('LLEN', list),
  redis.call('LLEN', back),
  redis.call('ZCARD', retry),
  emit and redis.call('LLEN', emit) or 0,
  redis.call('HGETALL', counts),
}
