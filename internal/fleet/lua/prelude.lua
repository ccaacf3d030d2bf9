-- ended returns the ids of processes that no longer count as alive. A beat later than now is from
-- before the server's clock was set back: a living process soon sends another.
local function ended(fleet, now)
  local ids = {}
  local fields = redis.call('HGETALL', fleet)
  for i = 1, #fields, 2 do
    local beat, till = string.match(fields[i + 1], '^(%d+) (%d+) ')
    if not beat or tonumber(till) <= now or tonumber(beat) > now then
      ids[#ids + 1] = fields[i]
    end
  end
  return ids
end
