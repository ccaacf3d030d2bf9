-- Stands behind prelude.lua, before every script that moves elements. Redis keeps what a script wrote before it failed, for
-- want of a permission say. So a move copies elements before it drops them, and field 'journal' of counts says which move is
-- under way; it is '' otherwise. The next script that moves elements finishes such a move, or drops it where nothing moved.
-- The entries:
--   claim <claim> <retries>            a lease is filled, first with that many retries; see mark_of
--   release <all|expired> <claims>     elements of leases are copied to the head of back
--   strike <claim> <marks> ... ; <claim> <position> <due> <attempts> ...
--                                      outcomes are booked: the latter elements go to the retries, and leases take on these marks
local function beside(counts)
  local head = string.sub(counts, 1, -#':counts' - 1)
  return string.match(head, '^{([^{}]*)}$') or head, head .. ':back', head .. ':retry', head .. ':leases', head .. ':lease:'
end

-- read_entry splits an entry into its words; nil where nothing is under way.
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

-- mark_of is white space that stands for a claim. The claim puts it before the head of the list until it trims the list, which is
-- the only trace of that: what was pushed since may look like what was dropped. Behind it the element is still the same JSON.
local function mark_of(claim)
  return (string.gsub(string.gsub(redis.sha1hex(claim), '%d', ' '), '%a', '\t'))
end

-- read_mark returns the head of the list without a claim's mark, or nil if it has none.
local function read_mark(list, claim)
  local mark, head = mark_of(claim), redis.call('LINDEX', list, 0)
  if head and string.sub(head, 1, #mark) == mark then
    return string.sub(head, #mark + 1)
  end
  return nil
end

-- half_claim looks at a claim that is under way; words are those of its entry behind 'claim'. It returns nil while its lease is not
-- whole: then nothing has been dropped from where the elements were. Otherwise it returns what is still there too: {retries, in back,
-- in the list, all, known}.
local function half_claim(counts, words)
  local list, back, retry, _, lease = beside(counts)
  local retries = tonumber(words[2])
  local values = redis.call('LRANGE', lease .. words[1], 0, -1)
  local marks, fresh = read_header(table.remove(values, 1))
  if #values == 0 or #values ~= #marks then
    return nil
  end
  local known = tonumber(string.match(fresh, '^%d+')) - 1

  -- at_head is how many of the values from back are its head: all or none. They have ids, so no others look like them.
  local function at_head()
    local found = retries < known and redis.call('LRANGE', back, 0, known - retries - 1) or {}
    for i = retries + 1, known do
      if found[i - retries] ~= values[i] then
        return 0
      end
    end
    return #found
  end

  local left = {retries = {}, all = #values, known = known, back = at_head(), list = 0}
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

-- gather adds what is left of a claim as it goes to back, the last element first. That of an expired claim is lost once more.
local function gather(lease, claim, expired, gathered)
  local function mark_lost(value)
    local head, lost, rest = string.match(value, '^(%S+ %d+ )(%d+)( %d+ .*)$')
    return head and (head .. whole(lost + 1) .. rest) or value
  end
  local fresh, positions, values = unseal(lease .. claim)
  local dress = dresser(claim, fresh)
  for p = #positions, 1, -1 do
    local value = dress(positions[p], values[positions[p]])
    gathered[#gathered + 1] = expired and mark_lost(value) or value
  end
end

-- copied is how many elements of a release that is under way are in back already; it returns all of them, too.
local function copied(counts, words)
  local _, back, _, _, lease = beside(counts)
  local gathered, newest, pushed = {}, redis.call('LINDEX', back, 0), 0
  for i = 2, #words do
    gather(lease, words[i], words[1] == 'expired', gathered)
  end
  for i = 1, newest and #gathered or 0 do
    pushed = gathered[i] == newest and i or pushed
  end
  return pushed, gathered
end

-- as_retry is a value with another number of attempts.
local function as_retry(value, attempts)
  local id, rest = string.match(value, '^(%S+) %d+ (%d+ %d+ .*)$')
  return id and (id .. ' ' .. attempts .. ' ' .. rest) or value
end

-- deferred reads which elements a strike that is under way puts off: due times and values in turn. Those whose lease is gone are
-- among the retries already.
local function deferred(counts, words)
  local _, _, _, _, lease = beside(counts)
  local scores, at = {}, 1
  while words[at] and words[at] ~= ';' do
    at = at + 2
  end
  for i = at + 1, #words, 4 do
    local position = tonumber(words[i + 1])
    local fresh, _, values = unseal(lease .. words[i])
    if values[position] then
      scores[#scores + 1] = words[i + 2]
      scores[#scores + 1] = as_retry(dresser(words[i], fresh)(position, values[position]), words[i + 3])
    end
  end
  return scores
end

-- strike gives leases their new marks, and removes those that hold nothing more. Each is {claim, marks, lease, fresh}.
local function strike(counts, leases, struck)
  local ended, claims = {}, {}
  for _, each in ipairs(struck) do
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

-- put_back pushes what was gathered, from an index on, books it, and removes the claims' leases.
local function put_back(counts, expired, claims, gathered, first)
  local _, back, _, leases, lease = beside(counts)
  call_all('LPUSH', back, gathered, first)
  local noted = tonumber(redis.call('HGET', counts, 'reaped')) or 0
  local struck, entry = {}, {'strike'}
  for i, claim in ipairs(claims) do
    struck[i] = {claim = claim, marks = '0', lease = lease .. claim}
    entry[2 * i], entry[2 * i + 1] = claim, '0'
  end
  local reaped = noted + (expired and #gathered or 0)
  redis.call('HSET', counts, 'reaped', whole(reaped), 'journal', table.concat(entry, ' '))
  strike(counts, leases, struck)
end

-- mistyped_lease is an error reply if a lease that an entry names is of another type; words are those behind its kind.
local function mistyped_lease(counts, kind, words)
  local _, _, _, _, lease = beside(counts)
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

-- recover finishes the move that an entry of the journal is about, and returns nil, or an error reply where it cannot.
local function recover(counts, entry)
  local words = read_entry(entry)
  if not words then
    return nil
  end
  local list, back, retry, leases, lease = beside(counts)
  local kind = table.remove(words, 1)
  local bad = wrong_type(list, 'list', back, 'list', retry, 'zset', leases, 'zset') or mistyped_lease(counts, kind, words)
  if bad then
    return bad
  end
  redis.call('PERSIST', leases)
  if kind == 'claim' then
    local left = half_claim(counts, words)
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
      strike(counts, leases, {{claim = words[1], marks = '', lease = lease .. words[1]}})
    end
  elseif kind == 'release' then
    local pushed, gathered = copied(counts, words)
    local expired = table.remove(words, 1) == 'expired'
    if pushed > 0 then
      put_back(counts, expired, words, gathered, pushed + 1)
    else
      redis.call('HSET', counts, 'journal', '')
    end
  else
    call_all('ZADD', retry, deferred(counts, words))
    local struck = {}
    for i = 1, #words, 2 do
      if words[i] == ';' then
        break
      end
      local _, fresh = read_header(redis.call('LINDEX', lease .. words[i], 0))
      struck[#struck + 1] = {claim = words[i], marks = words[i + 1], lease = lease .. words[i], fresh = fresh}
    end
    strike(counts, leases, struck)
  end
  return nil
end
