-- reserve checks users against the caps, and adds an entry for each who is under all of them. An
-- element that has an entry keeps it: it moves to now, if the others leave room for it.
--
-- KEYS: the shards.
-- ARGV: the TTL in ms; the caps, as counts and windows in units in turn, the longest window last;
-- for each shard its users, as own_entry takes them.
-- Returns five numbers for each user who is capped, or whose element has an entry: the shard, the
-- user in it, and the cap that frees last, or 0, all from 1. Then come the time when that frees,
-- and 1 if the element has an entry.
-- Cut: a shard is changed or not. The repeated call finds the entries that were made.
local ttl = ARGV[1]
local counts, windows = {}, {}
for count, window in string.gmatch(ARGV[2], '(%d+) (%d+)') do
  counts[#counts + 1], windows[#windows + 1] = tonumber(count), tonumber(window)
end
local window, told = windows[#windows], {}

-- full returns the cap that frees last, and when, if the user is capped. own is the place of the
-- entry that does not count.
local function full(text, first, n, own)
  local base, cap, frees = number_at(text, 1), nil, 0
  for i = 1, #counts do
    local last = counts[i] - 1
    if own and own <= last then
      last = last + 1
    end
    if last < n then
      local free = base + time_at(text, first + 4 * last) + windows[i] + 1
      if free > now and free > frees then
        cap, frees = i, free
      end
    end
  end
  return cap, frees
end

for s = 1, #KEYS do
  local users = ARGV[2 + s]
  if users ~= '' then
    local shard, bad = open(KEYS[s])
    if bad then
      return bad
    end
    local fields, texts, changed = read_buckets(shard, users, 14), shard.texts, shard.changed
    for i = 1, #fields do
      local field, user = fields[i], 14 * i - 13
      local text = current(shard, field, window)
      local time = math.max(now - number_at(text, 1), 0)
      local high, middle, low = byte(users, user + 8, user + 10)
      local entry = char(floor(time / 16), time % 16 * 16 + high, middle, low)
      local hash = sub(users, user, user + 7)
      local at = find(text, hash, 4, true)
      if not at then
        texts[field], changed[field] = text .. hash .. '\1' .. entry, true
        shard.users = shard.users + 1
      else
        local n, first = byte(text, at + 8), at + 9
        local own = own_entry(text, first, n, users, user)
        local cap, frees = full(text, first, n, own)
        if cap or own then
          local k = #told
          told[k + 1], told[k + 2], told[k + 3], told[k + 4], told[k + 5] = s, i, cap or 0, frees, own and 1 or 0
        end
        if own and not cap then
          local mine = first + 4 * own
          texts[field] = sub(text, 1, first - 1) .. entry .. sub(text, first, mine - 1) .. sub(text, mine + 4)
          changed[field] = true
        elseif not cap then
          local fresh = entries_since(text, first, n, now - number_at(text, 1) - window)
          local rest = sub(text, first)
          if fresh < n then
            rest = sub(text, first, first + 4 * fresh - 1) .. sub(text, first + 4 * n)
          end
          texts[field], changed[field] = sub(text, 1, at + 7) .. char(fresh + 1) .. entry .. rest, true
        end
      end
    end
    grow(shard, window)
    write(shard, ttl)
  end
end
return told
