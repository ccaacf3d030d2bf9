-- set writes or deletes an operator's settings. When the rate changes, all leases become void. The
-- cursor then stands at the next push, at most one interval of the new rate ahead.
--
-- KEYS: pace, history. ARGV: channel, the interval that applies if nothing was leased yet, the new
-- interval, by, and the settings in words. Then follow quota, headroom, ramp and avoid, or nothing
-- to delete them. Returns {now, era}.
local pace, history = KEYS[1], KEYS[2]
local channel, own, interval = ARGV[1], tonumber(ARGV[2]), tonumber(ARGV[3])
local by, words = ARGV[4], ARGV[5]

local bad = wrong_type(pace, 'hash')
if bad then
  return bad
end

local now = server_us()
local stored = redis.call('HMGET', pace, 'cursor', 'interval', 'era')
local before, era = number(stored[2], own), number(stored[3], now)
redis.call('PERSIST', pace)
local fields = {}
record(history, ARGV[6] and 'quota set' or 'quota reset', by, words)
if ARGV[6] then
  fields = {'quota', ARGV[6], 'headroom', ARGV[7], 'ramp', ARGV[8], 'avoid', ARGV[9]}
end
if math.abs(interval - before) > 0.000001 * before then
  era = next_era(pace, now)
  local owed = math.min(1, math.max(0, number(stored[1], now) - now) / before)
  for _, each in ipairs({'interval', string.format('%.6f', interval), 'era', whole(era)}) do
    fields[#fields + 1] = each
  end
  if stored[1] then
    fields[#fields + 1], fields[#fields + 2] = 'cursor', whole(math.ceil(now + owed * interval))
  end
end
if #fields > 0 then
  redis.call('HSET', pace, unpack(fields))
end
if not ARGV[6] then
  redis.call('HDEL', pace, 'quota', 'headroom', 'ramp', 'avoid')
end
keep(pace)
signal(channel, era)
return {now, era}
