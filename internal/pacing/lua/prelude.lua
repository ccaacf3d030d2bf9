-- Stands before every script about paces.
-- Times are µs of the server's clock, those of ramps µs of their length. The fields of a pace hash:
--   cursor    when the next push may go that is not leased yet
--   warm      how much of the ramp is done at the cursor, 0 to 1
--   era       when all that was leased before became void
--   interval  µs from one push to the next at full rate, as of the last share
--   gate, reason             until when nothing goes, and why
--   quota, headroom, ramp, avoid  what an operator has set; absent where the replicas' own settings hold
--   returned  the last asks that gave something back

-- number reads a field. What is absent, or no number that is kept exactly, gives the other value: rubbish stands in the way
-- of nobody, and goes with the next write.
local function number(text, otherwise)
  local n = tonumber(text)
  return n and math.abs(n) < 9007199254740992 and n or otherwise
end

-- keep lets a pace hash go a week after its last use, unless it holds what an operator has set.
local function keep(pace)
  if redis.call('HEXISTS', pace, 'quota') == 0 then
    redis.call('PEXPIRE', pace, 604800000)
  end
end

-- next_era makes void what is leased. It never goes back, even if the clock does.
local function next_era(pace, now)
  return math.max(now, number(redis.call('HGET', pace, 'era'), 0) + 1)
end

-- tell wakes the replicas. Those that may not listen, or that we may not tell, learn it with their next share.
local function tell(channel, era)
  redis.pcall('PUBLISH', channel, whole(era))
end
