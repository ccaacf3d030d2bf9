-- The prelude of the scripts on deletions. One hash holds a project's current hour. The figures of
-- an earlier hour do not count.
--
-- Its fields:
--   hour           hours since 1970, by the server's clock.
--   answers        FCM's answers to all replicas.
--   taken          deletions that were leased.
--   withheld       deletions that were refused.
--   seq:<replica>  '<number> <granted>' of its last lease.
local HOUR_MS = 3600000

-- figures are {answers, taken, withheld} of an hour; zero where the hash is about another one.
local function figures(key, hour)
  local held = redis.call('HMGET', key, 'hour', 'answers', 'taken', 'withheld')
  if held[1] ~= hour then
    return 0, 0, 0
  end
  return tonumber(held[2]) or 0, tonumber(held[3]) or 0, tonumber(held[4]) or 0
end

local function budget_of(answers, least, share)
  return math.max(least, math.floor(answers * share))
end
