-- progress writes how far leased elements have come, and leaves them leased. It leaves out elements
-- that are not leased any more.
--
-- KEYS: leases, counts, the lease of each claim.
-- ARGV: the number of claims, their ids, then for each element: the number of the claim, the
-- position, and "<attempts>;<progress>".
-- Returns how many elements were written.
-- Cut: some elements are written. Repeating the call writes the others.
local leases, counts = KEYS[1], KEYS[2]
local claims = tonumber(ARGV[1])

local bad = wrong_type(leases, 'zset', counts, 'hash')
for k = 3, #KEYS do
  bad = bad or wrong_type(KEYS[k], 'list')
end
-- A move under way compares elements with their copies, so it ends before one of them changes.
bad = bad or recover(counts, redis.call('HGET', counts, 'journal'))
if bad then
  return bad
end

local saved, lease_cache = 0, {}
for i = claims + 2, #ARGV, 3 do
  local c, position = tonumber(ARGV[i]), tonumber(ARGV[i + 1])
  local lease = KEYS[2 + c]
  if not lease_cache[c] then
    local marks, fresh = read_header(redis.call('LINDEX', lease, '0'))
    lease_cache[c] = {marks = marks, complete = completer_of(ARGV[1 + c], fresh)}
  end
  local from = lease_cache[c]
  if string.byte(from.marks, position) == mark_leased then
    local value = from.complete(position, redis.call('LINDEX', lease, whole(position)))
    if saved == 0 then
      redis.call('PERSIST', leases) -- the first write must be one that a full Redis accepts
    end
    redis.call('LSET', lease, whole(position), with_attempts(value, ARGV[i + 2]))
    saved = saved + 1
  end
end
return saved
