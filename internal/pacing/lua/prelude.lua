-- The prelude of every script on paces. Times are µs of the server's clock, and those of ramps are
-- µs of their length.
--
-- The fields of a pace hash:
--   cursor    when the next push that no one has leased may go.
--   warm      share of the ramp that is done at the cursor, 0 to 1.
--   era       when all earlier leases became void.
--   interval  µs from one push to the next at full rate, as of the last share.
--   gate      until when sending is stopped.
--   reason    why the gate closed: FCM's words, or '' if an operator closed it.
--   by        '<gate> <who>': who closed that gate, FCM or an operator.
--   quota, headroom, ramp, avoid  an operator's settings; absent while the replicas' own apply.
--   returned  the last requests that gave time back.

-- number parses a field. It returns the other value if the field is absent or is no exact number.
-- So rubbish blocks no one, and the next write replaces it.
local function number(text, otherwise)
  local n = tonumber(text)
  return n and math.abs(n) < 9007199254740992 and n or otherwise
end

-- keep expires a pace hash a week after its last use, unless it holds an operator's settings.
local function keep(pace)
  if redis.call('HEXISTS', pace, 'quota') == 0 then
    redis.call('PEXPIRE', pace, 604800000)
  end
end

-- next_era returns the era that voids all leases. It never goes back, even if the clock does.
local function next_era(pace, now)
  return math.max(now, number(redis.call('HGET', pace, 'era'), 0) + 1)
end

-- signal wakes the replicas. A replica that cannot listen learns the era with its next share, and
-- so do all if this user may not publish.
local function signal(channel, era)
  redis.pcall('PUBLISH', channel, whole(era))
end
