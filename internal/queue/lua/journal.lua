-- The journal of moves. It is placed after prelude.lua, before every script that moves elements.
--
-- Redis keeps what a script wrote before it failed, for example on a missing permission. So a move
-- copies elements before it drops them, and field 'journal' of counts names the move under way. It
-- is '' otherwise. The next script that moves elements finishes such a move, or drops it if nothing
-- was moved. The entries are:
--
--   claim <claim> <retries>
--       A lease is being filled, first with that many retries. See list_mark.
--   release <all|expired> <claims>
--       Elements of leases are being copied to the head of back.
--   strike <claim> <marks> ... ; <claim> <position> <due> <attempts> ...
--       Outcomes are counted. Elements after ';' go to the retries, and the leases get the marks.
--       <attempts> may be followed by a progress: "<attempts>;<progress>".

-- sibling_keys returns the other keys of the list that counts belongs to: list, back, retry,
-- leases, and the prefix of lease keys.
local function sibling_keys(counts)
  local head = string.sub(counts, 1, -#':counts' - 1)
  return string.match(head, '^{([^{}]*)}$') or head, head .. ':back', head .. ':retry', head .. ':leases', head .. ':lease:'
end

-- read_entry splits an entry into its words. It returns nil when no move is under way.
local function read_entry(entry)
  if not entry or entry == '' then
    return nil
  end
  local words = {}
  for word in string.gmatch(entry, '%S+') do
    words[#words + 1] = word
  end
  return words
end

-- list_mark returns white space that stands for a claim. The claim puts it before the head of the
-- list until it trims the list. Nothing else shows whether the trim has happened: elements pushed
-- since may look like the dropped ones. JSON with white space before it is still the same JSON.
local function list_mark(claim)
  return (string.gsub(string.gsub(redis.sha1hex(claim), '%d', ' '), '%a', '\t'))
end

-- read_mark returns the head of the list without a claim's mark, or nil if it has no mark.
local function read_mark(list, claim)
  local mark, head = list_mark(claim), redis.call('LINDEX', list, 0)
  if head and string.sub(head, 1, #mark) == mark then
    return string.sub(head, #mark + 1)
  end
  return nil
end

-- find_cut_claim looks at a claim that is under way; words are those of its entry after 'claim'. It
-- returns nil while the lease is not whole: then nothing has been dropped from where the elements
-- were. Otherwise it returns what was not dropped yet: {retries, back, list, all, known}.
local function find_cut_claim(counts, words)
  local list, back, retry, _, lease = sibling_keys(counts)
  local retries = tonumber(words[2])
  local values = redis.call('LRANGE', lease .. words[1], 0, -1)
  local marks, fresh = read_header(table.remove(values, 1))
  if #values == 0 or #values ~= #marks then
    return nil
  end
  local known = tonumber(string.match(fresh, '^%d+')) - 1

  -- count_at_head returns how many of the values from back are its head: all or none. They have
  -- ids, so no other values look like them.
  local function count_at_head()
    local found = retries < known and redis.call('LRANGE', back, 0, known - retries - 1) or {}
    for i = retries + 1, known do
      if found[i - retries] ~= values[i] then
        return 0
      end
    end
    return #found
  end

  local left = {retries = {}, all = #values, known = known, back = count_at_head(), list = 0}
  for i = 1, retries do
    if redis.call('ZSCORE', retry, values[i]) then
      left.retries[#left.retries + 1] = values[i]
    end
  end
  if read_mark(list, words[1]) then
    left.list = math.min(#values - known, redis.call('LLEN', list))
  end
  return left
end

-- gather appends what is left of a claim as it goes to back, the last element first. Elements of an
-- expired claim count one more loss.
local function gather(lease, claim, expired, gathered)
  local function mark_lost(value)
    local head, lost, rest = string.match(value, '^(%S+ %d+;?%S* )(%d+)( %d+ .*)$')
    return head and (head .. whole(lost + 1) .. rest) or value
  end
  local fresh, positions, values = read_lease(lease .. claim)
  local complete = completer_of(claim, fresh)
  for p = #positions, 1, -1 do
    local value = complete(positions[p], values[positions[p]])
    gathered[#gathered + 1] = expired and mark_lost(value) or value
  end
end

-- find_copied returns how many elements of a release under way are in back already, and all its
-- elements.
local function find_copied(counts, words)
  local _, back, _, _, lease = sibling_keys(counts)
  local gathered, newest, pushed = {}, redis.call('LINDEX', back, 0), 0
  for i = 2, #words do
    gather(lease, words[i], words[1] == 'expired', gathered)
  end
  for i = 1, newest and #gathered or 0 do
    pushed = gathered[i] == newest and i or pushed
  end
  return pushed, gathered
end

-- with_attempts returns a value with other attempts, and with another progress or none.
local function with_attempts(value, attempts)
  local id, rest = string.match(value, '^(%S+) %d+;?%S* (%d+ %d+ .*)$')
  return id and (id .. ' ' .. attempts .. ' ' .. rest) or value
end

-- read_deferred returns the elements that a strike under way defers, as due times and values in
-- turn. Elements whose lease is gone are among the retries already.
local function read_deferred(counts, words)
  local _, _, _, _, lease = sibling_keys(counts)
  local scores, at = {}, 1
  while words[at] and words[at] ~= ';' do
    at = at + 2
  end
  for i = at + 1, #words, 4 do
    local position = tonumber(words[i + 1])
    local fresh, _, values = read_lease(lease .. words[i])
    if values[position] then
      scores[#scores + 1] = words[i + 2]
      scores[#scores + 1] = with_attempts(completer_of(words[i], fresh)(position, values[position]), words[i + 3])
    end
  end
  return scores
end

-- update_leases writes the new marks of leases and removes leases that are settled whole. Each is
-- {claim, marks, lease, fresh}.
local function update_leases(counts, leases, updated)
  local ended, claims = {}, {}
  for _, each in ipairs(updated) do
    if not string.find(each.marks, '1', 1, true) then
      ended[#ended + 1], claims[#claims + 1] = each.lease, each.claim
    elseif each.fresh ~= '' then
      redis.call('LSET', each.lease, '0', each.marks .. ' ' .. each.fresh)
    end
  end
  if #ended > 0 then
    redis.call('DEL', unpack(ended))
    redis.call('ZREM', leases, unpack(claims))
  end
  redis.call('HSET', counts, 'journal', '')
end

-- put_back pushes what was gathered, from an index on. It counts it and removes the claims' leases.
local function put_back(counts, expired, claims, gathered, first)
  local _, back, _, leases, lease = sibling_keys(counts)
  call_all('LPUSH', back, gathered, first)
  local noted = tonumber(redis.call('HGET', counts, 'reaped')) or 0
  local updated, entry = {}, {'strike'}
  for i, claim in ipairs(claims) do
    updated[i] = {claim = claim, marks = '0', lease = lease .. claim}
    entry[2 * i], entry[2 * i + 1] = claim, '0'
  end
  local reaped = noted + (expired and #gathered or 0)
  redis.call('HSET', counts, 'reaped', whole(reaped), 'journal', table.concat(entry, ' '))
  update_leases(counts, leases, updated)
end

-- check_lease_types returns an error reply if a lease that an entry names has another type. words
-- are those after the entry's kind.
local function check_lease_types(counts, kind, words)
  local _, _, _, _, lease = sibling_keys(counts)
  local first, last, step = 1, #words, 2
  if kind == 'claim' then
    last = 1
  elseif kind == 'release' then
    first, step = 2, 1
  end
  local bad
  for i = first, last, step do
    if bad or words[i] == ';' then
      break
    end
    bad = wrong_type(lease .. words[i], 'list')
  end
  return bad
end

-- recover finishes the move that a journal entry names. It returns nil, or an error reply if it
-- cannot.
local function recover(counts, entry)
  local words = read_entry(entry)
  if not words then
    return nil
  end
  local list, back, retry, leases, lease = sibling_keys(counts)
  local kind = table.remove(words, 1)
  local bad = wrong_type(list, 'list', back, 'list', retry, 'zset', leases, 'zset') or check_lease_types(counts, kind, words)
  if bad then
    return bad
  end
  redis.call('PERSIST', leases)
  if kind == 'claim' then
    local left = find_cut_claim(counts, words)
    if left then
      call_all('ZREM', retry, left.retries)
      for key, n in pairs({[back] = left.back, [list] = left.list}) do
        if n > 0 then
          redis.call('LTRIM', key, n, -1)
        end
      end
      local claimed = tonumber(redis.call('HGET', counts, 'claimed')) or 0
      redis.call('HSET', counts, 'claimed', whole(claimed + left.all - left.known), 'journal', '')
    else
      local head = read_mark(list, words[1])
      if head then
        redis.call('LSET', list, '0', head)
      end
      update_leases(counts, leases, {{claim = words[1], marks = '', lease = lease .. words[1]}})
    end
  elseif kind == 'release' then
    local pushed, gathered = find_copied(counts, words)
    local expired = table.remove(words, 1) == 'expired'
    if pushed > 0 then
      put_back(counts, expired, words, gathered, pushed + 1)
    else
      redis.call('HSET', counts, 'journal', '')
    end
  else
    call_all('ZADD', retry, read_deferred(counts, words))
    local updated = {}
    for i = 1, #words, 2 do
      if words[i] == ';' then
        break
      end
      local _, fresh = read_header(redis.call('LINDEX', lease .. words[i], 0))
      updated[#updated + 1] = {claim = words[i], marks = words[i + 1], lease = lease .. words[i], fresh = fresh}
    end
    update_leases(counts, leases, updated)
  end
  return nil
end
