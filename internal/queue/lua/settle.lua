-- settle ends leased elements or puts them off. What is no longer in its lease is left out.
-- KEYS: leases, retry, counts, the lease of each claim, the list to emit to if there is one, and the one to emit to
-- instead unless it holds another type. That one never expires: PERSIST undoes what another program may have set.
-- ARGV: how many claims, their ids, how many labels, a status and a code for each; then groups of elements that have
-- claim and outcome in common: the number of the claim, the outcome, how many payloads there are, the elements' positions in
-- two bytes each, the payloads: one for each element, or none. Outcome 0 is later, with payloads "<in ms> <attempts>"; any
-- other is the number of a label, and what is to be emitted its payloads. A label without a status is later too, and its
-- code the cause, under which it is counted. A code "?<most> <code>" is counted as OTHER when so many of its sort are counted by
-- name.
-- Returns how many were applied.
-- Results are written first: a cut before the books repeats them, with the same resultId. The books and the journal are one write,
-- behind which the next script finishes the rest.
local argv = ARGV -- a local is found sooner than a global
local leases, retry, counts = KEYS[1], KEYS[2], KEYS[3]
local claims = tonumber(argv[1])
local labels = tonumber(argv[claims + 2])
local emit, direct = KEYS[3 + claims + 1], KEYS[3 + claims + 2]
local groups = claims + 2 + 2 * labels + 1

local bad = wrong_type(leases, 'zset') or (emit and wrong_type(emit, 'list'))
if bad then
  return bad
end

-- What the outcomes are counted under, and what the books say of that now.
local fields, columns = {'journal'}, {}
local function column(name)
  if not columns[name] then
    fields[#fields + 1] = name
    columns[name] = #fields
  end
  return columns[name]
end
local counted, limits = {}, {}
for outcome = 1, labels do
  local status, code = argv[claims + 1 + 2 * outcome], argv[claims + 2 + 2 * outcome]
  if status == '' then
    counted[outcome] = {column('later:' .. code)}
  else
    local most, name = string.match(code, '^%?(%d+) (.*)$')
    code = name or code
    counted[outcome] = {column('ended:' .. status), code ~= '' and column('code:' .. status .. ':' .. code) or nil}
    if most then
      limits[counted[outcome][2]] = {most = tonumber(most), rare = column('rare'), other = column('code:' .. status .. ':OTHER')}
    end
  end
end
local books = redis.pcall('HMGET', counts, unpack(fields))
if books.err then
  return wrong_type(counts, 'hash') or books
end
if books[1] and books[1] ~= '' then
  bad = recover(counts, books[1])
  if bad then
    return bad
  end
  books = redis.call('HMGET', counts, unpack(fields))
end

local now = server_ms()
local emits, emitted, later, deferrals, holdings = {}, 0, {}, {}, {}

-- holding reads what a claim holds, once.
local function holding(c)
  local found = holdings[c]
  if not found then
    local header = redis.pcall('LINDEX', KEYS[3 + c], '0')
    if type(header) == 'table' then
      bad = wrong_type(KEYS[3 + c], 'list') or header
      header = false
    end
    local marks, fresh = read_header(header)
    found = {claim = argv[1 + c], lease = KEYS[3 + c], marks = bytes_of(marks), fresh = fresh}
    holdings[c] = found
  end
  return found
end

-- let_go strikes positions off their lease. It returns how many of them were held, and each of them again, or false in place of
-- one that was not.
local function let_go(from, packed)
  local bytes, marks, found, held = bytes_of(packed), from.marks, {}, 0
  for i = 1, #packed / 2 do
    local position = bytes[2 * i - 1] * 256 + bytes[2 * i]
    if marks[position] == mark_held then
      marks[position] = mark_settled
      held = held + 1
      found[i] = position
    else
      found[i] = false
    end
  end
  return held, found
end

-- emit_payloads notes what is to be emitted: payloads begin at argv[first].
local function emit_payloads(_, found, first)
  for i = 1, #found do
    if found[i] then
      emitted = emitted + 1
      emits[emitted] = argv[first + i - 1]
    end
  end
end

-- put_off notes when elements are to come back, and as what.
local function put_off(from, found, first)
  local _, _, values = unseal(from.lease)
  local dress = dresser(from.claim, from.fresh)
  for i = 1, #found do
    local position = found[i]
    if position then
      local value = dress(position, values[position])
      local delay, attempts = string.match(argv[first + i - 1], '^(%d+) (%d+)$')
      local due = whole(now + tonumber(delay))
      later[#later + 1], later[#later + 2] = due, as_retry(value, attempts)
      deferrals[#deferrals + 1] = from.claim .. ' ' .. position .. ' ' .. due .. ' ' .. attempts
    end
  end
end

local applied, tally, at = 0, {}, groups
while at < #argv do
  local from, outcome, payloads = holding(tonumber(argv[at])), tonumber(argv[at + 1]), tonumber(argv[at + 2])
  if bad then
    return bad
  end
  local held, found = let_go(from, argv[at + 3])
  local ends = outcome > 0 and argv[claims + 1 + 2 * outcome] ~= ''
  if payloads > 0 then
    (ends and emit_payloads or put_off)(from, found, at + 4)
  end
  if held > 0 and outcome > 0 then
    for _, field in ipairs(counted[outcome]) do
      tally[field] = (tally[field] or 0) + held
    end
  end
  applied = applied + held
  at = at + 4 + payloads
end
if applied == 0 then
  return 0
end

bad = #later > 0 and wrong_type(retry, 'zset')
if bad then
  return bad
end
redis.call('PERSIST', leases)
if direct and not wrong_type(direct, 'list') then
  redis.call('PERSIST', direct)
  emit = direct
end
if emit then
  call_all('RPUSH', emit, emits)
end
local struck, entry = {}, {'strike'}
for _, from in pairs(holdings) do
  from.marks = #from.marks > 0 and text_of(from.marks) or '0' -- a lease that is gone holds nothing
  struck[#struck + 1] = from
  entry[#entry + 1], entry[#entry + 2] = from.claim, from.marks
end
if #deferrals > 0 then
  entry[#entry + 1], entry[#entry + 2] = ';', table.concat(deferrals, ' ')
end
for field, limit in pairs(limits) do
  local n, rare = tally[field], tally[limit.rare] or 0
  if n and not books[field] then
    if (tonumber(books[limit.rare]) or 0) + rare < limit.most then
      tally[limit.rare] = rare + 1
    else
      tally[field], tally[limit.other] = nil, (tally[limit.other] or 0) + n
    end
  end
end
local written = {'journal', table.concat(entry, ' ')}
for field, n in pairs(tally) do
  written[#written + 1], written[#written + 2] = fields[field], whole((tonumber(books[field]) or 0) + n)
end
redis.call('HSET', counts, unpack(written))
call_all('ZADD', retry, later)
strike(counts, leases, struck)
return applied
