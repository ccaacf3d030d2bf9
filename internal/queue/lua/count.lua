-- count reads the books at one moment. KEYS: list, back, retry, counts, and the list that is emitted to, if any.
-- Returns {listed, back, retrying, emitted and waiting, {field, value, ...} of counts}.
local list, back, retry, counts, emit = KEYS[1], KEYS[2], KEYS[3], KEYS[4], KEYS[5]

local bad = wrong_type(list, 'list', back, 'list', retry, 'zset', counts, 'hash') or (emit and wrong_type(emit, 'list'))
if bad then
  return bad
end
local fields = redis.call('HGETALL', counts)
local books = {journal = ''}
for i = 1, #fields, 2 do
  books[fields[i]] = fields[i + 1]
end

-- A move that was cut is counted as what it comes to, or as if it had not begun.
local listed, returned, retrying = redis.call('LLEN', list), redis.call('LLEN', back), redis.call('ZCARD', retry)
local words = read_entry(books.journal)
local kind = words and table.remove(words, 1)
if kind == 'claim' then
  local left = half_claim(counts, words)
  if left then
    listed, returned, retrying = listed - left.list, returned - left.back, retrying - #left.retries
    local function add(field, n)
      fields[#fields + 1], fields[#fields + 2] = field, whole((tonumber(books[field]) or 0) + n)
    end
    add('inflight', left.all)
    add('claimed', left.all - left.known)
  end
elseif kind == 'release' then
  returned = returned - copied(counts, words)
elseif kind then
  local scores = deferred(counts, words)
  for i = 2, #scores, 2 do
    retrying = retrying + (redis.call('ZSCORE', retry, scores[i]) and 0 or 1)
  end
end
return {listed, returned, retrying, emit and redis.call('LLEN', emit) or 0, fields}
