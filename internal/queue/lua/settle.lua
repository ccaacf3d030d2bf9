-- settle ends leased elements or defers them. It leaves out elements that are not leased any more.
--
-- KEYS: leases, retry, counts; the lease of each claim; the list to emit to, if any; the list to
-- emit to instead, if any, unless it holds another type. That last list never expires: PERSIST
-- removes an expiry that another program may have set.
-- ARGV: the number of claims, their ids, the number of labels, a status and a code for each, then
-- groups.
--
-- A group is the elements that have a claim and an outcome in common:
--
--   the number of the claim
--   the outcome: 0 for later, otherwise the number of a label
--   the number of payloads: one for each element, or none
--   the elements' positions, in two bytes each
--   the payloads: "<in ms> <attempts>" for later, otherwise what is emitted. <attempts> may be
--   followed by a progress: "<attempts>;<progress>"
--
-- A label without a status means later too, and its code is the cause that it is counted under. A
-- code "?<most> <code>" is counted as OTHER once so many codes of its kind are counted by name. A
-- status "<status> +<note>=<n> …" also adds n to each of its notes.
--
-- Returns how many elements were settled.
-- Cut: results are written first, so a cut before the books emits them again with the same
-- resultId. The books and the journal are one write. After it, the next script finishes the rest.
local argv = ARGV -- a local is faster than a global
local leases, retry, counts = KEYS[1], KEYS[2], KEYS[3]
local claims = tonumber(argv[1])
local labels = tonumber(argv[claims + 2])
local emit, direct = KEYS[3 + claims + 1], KEYS[3 + claims + 2]
local groups = claims + 2 + 2 * labels + 1

local bad = wrong_type(leases, 'zset') or (emit and wrong_type(emit, 'list'))
if bad then
  return bad
end

-- counted has the fields that each outcome is counted under, as indexes into fields. noted has
-- those of its notes, each followed by a number. books has their values before this call.
local fields, columns = {'journal'}, {}
local function column(name)
  if not columns[name] then
    fields[#fields + 1] = name
    columns[name] = #fields
  end
  return columns[name]
end
local counted, noted, limits = {}, {}, {}
for outcome = 1, labels do
  local status, code = argv[claims + 1 + 2 * outcome], argv[claims + 2 + 2 * outcome]
  if status == '' then
    counted[outcome] = {column('later:' .. code)}
  else
    noted[outcome] = {}
    for note, n in string.gmatch(status, ' %+([^%s=]+)=(%d+)') do
      table.insert(noted[outcome], column('note:' .. note))
      table.insert(noted[outcome], tonumber(n))
    end
    status = string.match(status, '^%S+') or status
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
local emits, emitted, later, deferrals, lease_cache = {}, 0, {}, {}, {}

-- lease_of reads the lease of a claim once.
local function lease_of(c)
  local found = lease_cache[c]
  if not found then
    local header = redis.pcall('LINDEX', KEYS[3 + c], '0')
    if type(header) == 'table' then
      bad = wrong_type(KEYS[3 + c], 'list') or header
      header = false
    end
    local marks, fresh = read_header(header)
    found = {claim = argv[1 + c], lease = KEYS[3 + c], marks = bytes_of(marks), fresh = fresh}
    lease_cache[c] = found
  end
  return found
end

-- settle_positions marks positions of a lease as settled. It returns how many of them were leased,
-- and a list of the positions, with false for each that was not.
local function settle_positions(from, packed)
  local bytes, marks, found, settled = bytes_of(packed), from.marks, {}, 0
  for i = 1, #packed / 2 do
    local position = bytes[2 * i - 1] * 256 + bytes[2 * i]
    if marks[position] == mark_leased then
      marks[position] = mark_settled
      settled = settled + 1
      found[i] = position
    else
      found[i] = false
    end
  end
  return settled, found
end

-- emit_payloads collects the payloads of settled elements. They begin at argv[first].
local function emit_payloads(_, found, first)
  for i = 1, #found do
    if found[i] then
      emitted = emitted + 1
      emits[emitted] = argv[first + i - 1]
    end
  end
end

-- defer_elements collects the values and due times of deferred elements.
local function defer_elements(from, found, first)
  local _, _, values = read_lease(from.lease)
  local complete = completer_of(from.claim, from.fresh)
  for i = 1, #found do
    local position = found[i]
    if position then
      local value = complete(position, values[position])
      local delay, attempts = string.match(argv[first + i - 1], '^(%d+) (%S+)$')
      local due = whole(now + tonumber(delay))
      later[#later + 1], later[#later + 2] = due, with_attempts(value, attempts)
      deferrals[#deferrals + 1] = from.claim .. ' ' .. position .. ' ' .. due .. ' ' .. attempts
    end
  end
end

local applied, increments, at = 0, {}, groups
while at < #argv do
  local from, outcome, payloads = lease_of(tonumber(argv[at])), tonumber(argv[at + 1]), tonumber(argv[at + 2])
  if bad then
    return bad
  end
  local settled, found = settle_positions(from, argv[at + 3])
  local ends = outcome > 0 and argv[claims + 1 + 2 * outcome] ~= ''
  if payloads > 0 then
    (ends and emit_payloads or defer_elements)(from, found, at + 4)
  end
  if settled > 0 and outcome > 0 then
    for _, field in ipairs(counted[outcome]) do
      increments[field] = (increments[field] or 0) + settled
    end
    local notes = noted[outcome] or {}
    for i = 1, #notes, 2 do
      increments[notes[i]] = (increments[notes[i]] or 0) + settled * notes[i + 1]
    end
  end
  applied = applied + settled
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
local updated, entry = {}, {'strike'}
for _, from in pairs(lease_cache) do
  from.marks = #from.marks > 0 and text_of(from.marks) or '0' -- a lease that is gone has no marks
  updated[#updated + 1] = from
  entry[#entry + 1], entry[#entry + 2] = from.claim, from.marks
end
if #deferrals > 0 then
  entry[#entry + 1], entry[#entry + 2] = ';', table.concat(deferrals, ' ')
end
for field, limit in pairs(limits) do
  local n, rare = increments[field], increments[limit.rare] or 0
  if n and not books[field] then
    if (tonumber(books[limit.rare]) or 0) + rare < limit.most then
      increments[limit.rare] = rare + 1
    else
      increments[field], increments[limit.other] = nil, (increments[limit.other] or 0) + n
    end
  end
end
local written = {'journal', table.concat(entry, ' ')}
for field, n in pairs(increments) do
  written[#written + 1], written[#written + 2] = fields[field], whole((tonumber(books[field]) or 0) + n)
end
redis.call('HSET', counts, unpack(written))
call_all('ZADD', retry, later)
update_leases(counts, leases, updated)
return applied
