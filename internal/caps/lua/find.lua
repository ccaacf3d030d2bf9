-- find reads the entries of users. It writes nothing.
--
-- KEYS: the shards.
-- ARGV: for each shard its users, 8 bytes of the hash of each.
-- Returns the time now in units. Then come the times of each user's entries, the newest first, such
-- as "1961203 1961100". Users are in the order of the shards.
local all = {whole(now)}
for s = 1, #KEYS do
  local users = ARGV[s]
  if users ~= '' then
    local shard, bad = open(KEYS[s])
    if bad then
      return bad
    end
    local fields = read_buckets(shard, users, 8)
    for i = 1, #fields do
      local text, times = shard.texts[fields[i]], {}
      local at = text ~= '' and find(text, sub(users, 8 * i - 7, 8 * i), 4, true)
      for k = 1, at and byte(text, at + 8) or 0 do
        times[k] = whole(number_at(text, 1) + time_at(text, at + 5 + 4 * k))
      end
      all[#all + 1] = table.concat(times, ' ')
    end
  end
end
return all
