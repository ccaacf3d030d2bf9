-- count reads the books at one moment.
--
-- KEYS: list, back, retry, leases, counts, then the list that is emitted to and the gate, if any.
-- ARGV: 1 if there is a list that is emitted to, 1 if there is a gate.
-- Returns ten values:
--
--   listed, back, retrying, in flight, emitted but waiting;
--   now, the gate's field 'seen', the end of the last lease or 0;
--   the first retry and its due time; {field, value, ...} of counts.
--
-- Cut: it writes nothing. A cut move is counted as finished, or as not begun.
local list, back, retry, leases, counts = KEYS[1], KEYS[2], KEYS[3], KEYS[4], KEYS[5]
local emit, gate = ARGV[1] == '1' and KEYS[6], ARGV[2] == '1' and KEYS[#KEYS]

local bad = wrong_type(list, 'list', back, 'list', retry, 'zset', leases, 'zset', counts, 'hash')
  or (emit and wrong_type(emit, 'list')) or (gate and wrong_type(gate, 'hash'))
if bad then
  return bad
end
local fields = redis.call('HGETALL', counts)
local books = {journal = ''}
for i = 1, #fields, 2 do
  books[fields[i]] = fields[i + 1]
end

-- A cut move counts as what it will become, or as not begun. updated has the marks that leases will
-- get.
local listed, returned, retrying, updated = redis.call('LLEN', list), redis.call('LLEN', back), redis.call('ZCARD', retry), {}
local words = read_entry(books.journal)
local kind = words and table.remove(words, 1)
bad = kind and check_lease_types(counts, kind, words)
if bad then
  return bad
end
if kind == 'claim' then
  local left = find_cut_claim(counts, words)
  if left then
    listed, returned, retrying = listed - left.list, returned - left.back, retrying - #left.retries
    fields[#fields + 1], fields[#fields + 2] = 'claimed', whole((tonumber(books.claimed) or 0) + left.all - left.known)
  else
    updated[words[1]] = ''
  end
elseif kind == 'release' then
  returned = returned - find_copied(counts, words)
elseif kind then
  local scores = read_deferred(counts, words)
  for i = 2, #scores, 2 do
    retrying = retrying + (redis.call('ZSCORE', retry, scores[i]) and 0 or 1)
  end
  for i = 1, #words, 2 do
    if words[i] == ';' then
      break
    end
    updated[words[i]] = words[i + 1]
  end
end

-- Elements in leases are counted in the leases themselves: a counter would not notice a deleted
-- lease.
local _, _, _, _, lease = sibling_keys(counts)
local in_flight = 0
for _, claim in ipairs(redis.call('ZRANGE', leases, 0, -1)) do
  local header = redis.pcall('LINDEX', lease .. claim, 0)
  if type(header) == 'table' then
    return wrong_type(lease .. claim, 'list') or header
  end
  local marks = header and (updated[claim] or read_header(header)) or ''
  local _, n = string.gsub(marks, '1', '')
  in_flight = in_flight + n
end

local ends = redis.call('ZREVRANGE', leases, 0, 0, 'WITHSCORES')[2]
local recalled = gate and tonumber(redis.call('HGET', gate, 'seen') or 0) or 0
return {
  listed, returned, retrying, in_flight, emit and redis.call('LLEN', emit) or 0, server_ms(), recalled,
  tonumber(ends or 0),
  redis.call('ZRANGE', retry, 0, 0, 'WITHSCORES'), fields,
}
