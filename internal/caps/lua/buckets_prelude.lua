-- How reservations are stored, for the scripts of this package.
--
-- A shard is a hash. Its field "n" has the number of its buckets and of its users, such as "12 80".
-- Each other field is a bucket, named by the 3 bytes of its number. A bucket has 3 bytes of its
-- base, and then the users: 8 bytes of the user's hash, a byte with the number of entries, and 4
-- bytes for each entry, the newest first. An entry is 12 bits of time, counted from the base, and
-- 20 bits of its owner. Times are in units of 15 minutes, and the base counts them from 1970.
--
-- A shard grows by linear hashing: when it has more than 6 users a bucket, the next bucket in line
-- is split in two. So no call moves more than a few users, and the callers know no sizes.
local byte, char, find, floor, sub = string.byte, string.char, string.find, math.floor, string.sub

-- unit_ms and span are unit and longestSpan in pack.go.
local per_bucket, unit_ms, span = 6, 900000, 4095
local now = floor(server_ms() / unit_ms)

-- number_at reads 3 bytes.
local function number_at(text, at)
  local a, b, c = byte(text, at, at + 2)
  return (a * 256 + b) * 256 + c
end

local function three_bytes(n)
  return char(floor(n / 65536) % 256, floor(n / 256) % 256, n % 256)
end

-- time_at reads the time of an entry, counted from the base of its bucket.
local function time_at(text, at)
  local a, b = byte(text, at, at + 1)
  return a * 16 + floor(b / 16)
end

-- hash_at reads the part of a user's hash that numbers its bucket.
local function hash_at(text, at)
  local a, b, c, d = byte(text, at + 4, at + 7)
  return ((a * 256 + b) * 256 + c) * 256 + d
end

-- open reads the sizes of a shard. It returns nil and an error reply for a key of another type.
local function open(key)
  local sizes = redis.pcall('HGET', key, 'n')
  if type(sizes) == 'table' then
    return nil, wrong_type(key, 'hash') or sizes
  end
  local buckets, users = string.match(sizes or '', '^(%d+) (%d+)$')
  buckets = tonumber(buckets) or 1
  local _, bits = math.frexp(buckets)
  return {key = key, buckets = buckets, users = tonumber(users) or 0, round = 2 ^ (bits - 1), texts = {}, changed = {}}
end

-- read_buckets reads the buckets of users with one command. users has size bytes for each. It
-- returns the field of each user's bucket.
local function read_buckets(shard, users, size)
  local fields, texts, round, buckets = {}, shard.texts, shard.round, shard.buckets
  for i = 1, #users / size do
    local a, b, c, d = byte(users, i * size - size + 5, i * size - size + 8)
    local hash = ((a * 256 + b) * 256 + c) * 256 + d
    local number = hash % (2 * round)
    if number >= buckets then
      number = hash % round
    end
    fields[i] = char(floor(number / 65536) % 256, floor(number / 256) % 256, number % 256)
  end
  local found = redis.call('HMGET', shard.key, unpack(fields))
  for i = 1, #fields do
    texts[fields[i]] = found[i] or ''
  end
  return fields
end

-- own_entry returns the place of the entry that an element made earlier, if there is one: 0 for the
-- newest. first is where the user's entries begin, and user where the caller's begin: its hash, 3
-- bytes of its owner, and 3 bytes of the time of its first claim. An older entry is not its own.
-- Comparing bytes is cheaper than making a text to search for.
local function own_entry(text, first, n, users, user)
  local high, middle, low = byte(users, user + 8, user + 10)
  for at = first, first + 4 * n - 4, 4 do
    local b, c = byte(text, at + 2, at + 3)
    if c == low and b == middle and byte(text, at + 1) % 16 == high
      and number_at(text, 1) + time_at(text, at) >= number_at(users, user + 11) then
      return (at - first) / 4
    end
  end
  return nil
end

-- entries_since returns how many of n entries are not older than a time, counted from the base.
local function entries_since(text, first, n, oldest)
  while n > 0 and time_at(text, first + 4 * n - 4) < oldest do
    n = n - 1
  end
  return n
end

-- rebased returns entries with their times counted from a base that is later by units.
local function rebased(entries, later)
  local all = {}
  for at = 1, #entries, 4 do
    local time = time_at(entries, at) - later
    all[#all + 1] = char(floor(time / 16), time % 16 * 16 + byte(entries, at + 1) % 16) .. sub(entries, at + 2, at + 3)
  end
  return table.concat(all)
end

-- rebuild copies a bucket without the entries that are older than the longest window. moves says
-- which users go to another bucket. It returns both buckets, and how many users were left out.
local function rebuild(text, window, moves)
  if text == '' then
    return '', '', 0
  end
  local base, left_out = now - window, 0
  local head = three_bytes(base)
  local later = base - number_at(text, 1)
  local kept, moved = {head}, {head}
  local at = 4
  while at + 8 <= #text do
    local n = byte(text, at + 8)
    local fresh = entries_since(text, at + 9, n, later)
    if fresh == 0 then
      left_out = left_out + 1
    else
      local to = moves and moves(hash_at(text, at)) and moved or kept
      local entries = sub(text, at + 9, at + 8 + 4 * fresh)
      to[#to + 1] = sub(text, at, at + 7) .. char(fresh) .. (later == 0 and entries or rebased(entries, later))
    end
    at = at + 9 + 4 * n
  end
  return #kept > 1 and table.concat(kept) or '', #moved > 1 and table.concat(moved) or '', left_out
end

-- current returns a bucket whose base allows an entry of now. It is rebuilt for that about once a
-- window.
local function current(shard, field, window)
  local text = shard.texts[field]
  if text ~= '' and now - number_at(text, 1) > math.min(window + math.max(window, 96), span) then
    local left_out
    local _
    text, _, left_out = rebuild(text, window)
    shard.texts[field], shard.changed[field], shard.users = text, true, shard.users - left_out
  end
  return text ~= '' and text or three_bytes(now - window)
end

-- grow splits buckets until there are no more than 6 users a bucket.
local function grow(shard, window)
  while shard.users > per_bucket * shard.buckets do
    local from, round = shard.buckets - shard.round, shard.round
    local field = three_bytes(from)
    local text = shard.texts[field] or redis.call('HGET', shard.key, field) or ''
    local kept, moved, left_out = rebuild(text, window, function(hash) return hash % (2 * round) ~= from end)
    local other = three_bytes(shard.buckets)
    shard.texts[field], shard.texts[other] = kept, moved
    shard.changed[field], shard.changed[other] = true, true
    shard.users, shard.buckets = shard.users - left_out, shard.buckets + 1
    if shard.buckets == 2 * round then
      shard.round = shard.buckets
    end
  end
end

-- write stores what has changed, with one command: a shard is never written by half.
local function write(shard, ttl)
  local args = {}
  for field in pairs(shard.changed) do
    args[#args + 1] = field
    args[#args + 1] = shard.texts[field]
  end
  if #args == 0 then
    return
  end
  local known = redis.call('PEXPIRE', shard.key, ttl) -- first: a full Redis accepts this write
  redis.call('HSET', shard.key, 'n', whole(shard.buckets) .. ' ' .. whole(shard.users), unpack(args))
  if known == 0 then
    redis.call('PEXPIRE', shard.key, ttl)
  end
end
