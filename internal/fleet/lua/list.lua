-- list returns the processes that are alive.
-- KEYS: the fleet.
-- Returns for each process the time since its beat in ms, its id and its report.
--
-- Cut: it writes nothing.
local fleet = KEYS[1]

local bad = wrong_type(fleet, 'hash')
if bad then
  return bad
end
local now, dead, alive = server_ms(), {}, {}
for _, id in ipairs(ended(fleet, now)) do
  dead[id] = true
end
local fields = redis.call('HGETALL', fleet)
for i = 1, #fields, 2 do
  local beat, report = string.match(fields[i + 1], '^(%d+) %d+ (.*)$')
  if beat and not dead[fields[i]] then
    alive[#alive + 1] = whole(now - tonumber(beat))
    alive[#alive + 1] = fields[i]
    alive[#alive + 1] = report
  end
end
return alive
