-- release removes the entries of elements that ended without a push that FCM may have accepted.
--
-- KEYS: the shards.
-- ARGV: the TTL in ms; for each shard its users, as own_entry takes them.
-- Returns how many entries were removed.
-- Cut: a shard is changed or not. The repeated call removes the rest.
local released = 0
for s = 1, #KEYS do
  local users = ARGV[1 + s]
  if users ~= '' then
    local shard, bad = open(KEYS[s])
    if bad then
      return bad
    end
    local fields = read_buckets(shard, users, 14)
    for i = 1, #fields do
      local field, user = fields[i], 14 * i - 13
      local text = shard.texts[field]
      local at = text ~= '' and find(text, sub(users, user, user + 7), 4, true)
      local n = at and byte(text, at + 8)
      local own = at and own_entry(text, at + 9, n, users, user)
      if own then
        local mine = at + 9 + 4 * own
        local head = sub(text, 1, at - 1)
        if n > 1 then
          head = sub(text, 1, at + 7) .. char(n - 1) .. sub(text, at + 9, mine - 1)
        else
          shard.users = shard.users - 1
        end
        shard.texts[field], shard.changed[field] = head .. sub(text, mine + 4), true
        released = released + 1
      end
    end
    write(shard, ARGV[1])
  end
end
return released
