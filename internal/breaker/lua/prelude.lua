-- The prelude of every script on a campaign's breaker. A breaker is one hash. A round is a canary
-- and what follows it, until a trip or a reset.
--
-- Its fields:
--   round                ms at which the round began, or more. It only grows.
--   passed               '1' once the canary looks sane.
--   opens                ms before which the canary admits no one.
--   proofs               answers of the canary that prove something.
--   spent                pushes of the canary without an answer. They keep their places.
--   personal             '1' if each recipient gets a message of their own.
--   lease:<claim>        '<admissions> <until ms>' of the canary.
--   canary:<kind>:<platform>           answers in the canary.
--   window:<bucket>:<kind>:<platform>  answers in ten seconds.
--   said:<kind>          FCM's last text for a kind in this round.
--   recent:<second>:answered           pushes with an answer in that second.
--   recent:<second>:unanswered         pushes without one.
--   seq:<replica>        '<number> <answered ms> <ms>' of the last counted report:
--                        its number, the replica's last answer, and the time of the report.
--   hold                 '<id> <since ms> <tries> <next ms> <kind> <reason>'.
--                        No one is admitted until FCM answers a probe.
--   released             '<tries> <ms>' of the last hold that ended.
--   probed               '1' in a round that a probe began.
--   platform:<platform>  '<id> <reason>' of a paused platform.
--   reset                the id of the last reset.
--   last                 the last trip as JSON.
--   trip                 who must act on the last trip.
--   trip_until           until when, in ms.
local BUCKET_MS, BUCKETS, SEQ_MS, RECENT = 10000, 6, 600000, 3

-- NO_ANSWER lists the kinds of pushes without an answer from FCM.
local NO_ANSWER = {unanswered = true, wrong_endpoint = true}

local function begins(text, prefix)
  return string.sub(text, 1, #prefix) == prefix
end

-- has_ended reports whether time alone removes a field.
local function has_ended(field, value, now)
  local bucket = string.match(field, '^window:(%d+):')
  if bucket then
    return tonumber(bucket) <= math.floor(now / BUCKET_MS) - BUCKETS
  elseif begins(field, 'recent:') then
    return tonumber(string.match(field, '%d+') or 0) <= math.floor(now / 1000) - RECENT
  elseif begins(field, 'lease:') then
    return tonumber(string.match(value, '%d+$') or 0) <= now
  elseif begins(field, 'seq:') then
    return tonumber(string.match(value, '%d+$') or 0) <= now - SEQ_MS
  end
  return false
end

-- open reads a breaker at the server's time. All changes go out as one write, in which a removed
-- field becomes ''. So an interrupted script leaves nothing half done. '' is no value, and the next
-- write deletes such fields.
local function open(key)
  local now = server_ms()
  local live, ended = {}, {''} -- '' is no field: the write that a full Redis accepts
  local all = redis.call('HGETALL', key)
  for i = 1, #all, 2 do
    if all[i + 1] == '' or has_ended(all[i], all[i + 1], now) then
      ended[#ended + 1] = all[i]
    else
      live[all[i]] = all[i + 1]
    end
  end
  local state = {now = now, live = live}
  local changed, tidied = {}, false

  -- tidy marks the breaker for writing.
  function state.tidy()
    tidied = true
  end

  -- flush writes all changes.
  function state.flush()
    if not tidied then
      return
    end
    local function call_all(command, args)
      for first = 1, #args, 4000 do
        redis.call(command, key, unpack(args, first, math.min(first + 3999, #args)))
      end
    end
    local fields, gone, leases = {}, {}, {}
    for field in pairs(changed) do
      local into = not live[field] and begins(field, 'lease:') and leases or fields
      into[#into + 1], into[#into + 2] = field, live[field] or ''
      gone[#gone + 1] = not live[field] and field or nil
    end
    for _, each in ipairs(leases) do -- last: of very many some may stay, and end by themselves
      fields[#fields + 1] = each
    end
    call_all('HDEL', ended)
    call_all('HSET', fields)
    call_all('HDEL', gone)
  end

  function state.number(field)
    return tonumber(live[field]) or 0
  end

  function state.set(field, value)
    live[field], changed[field] = value, true
  end

  function state.remove(field)
    live[field], changed[field] = nil, true
  end

  function state.add(field, n)
    state.set(field, whole(state.number(field) + n))
  end

  -- drop removes the fields that match one of the patterns, and returns the sum of their numbers.
  function state.drop(...)
    local gone, sum = {}, 0
    for field, value in pairs(live) do
      for _, pattern in ipairs({...}) do
        if string.match(field, pattern) then
          gone[#gone + 1] = field
          sum = sum + (tonumber(value) or 0)
          break
        end
      end
    end
    for _, field in ipairs(gone) do
      live[field], changed[field] = nil, true
    end
    return sum
  end

  -- begin starts a round. Other replicas may trust the old round's pass for hold_ms. Until then the
  -- new canary admits no one.
  function state.begin(hold_ms)
    if live.passed then
      state.set('opens', whole(now + hold_ms))
    end
    state.drop('^passed$', '^proofs$', '^spent$', '^probed$', '^canary:', '^window:', '^said:', '^recent:', '^lease:')
    state.set('round', whole(math.max(now, state.number('round') + 1)))
  end

  -- reply is {now, outcome, fields and values}; keep_ms, where given, is how long the breaker
  -- outlives its last use.
  function state.reply(outcome, keep_ms)
    state.flush()
    if keep_ms then
      redis.call('PEXPIRE', key, keep_ms)
    end
    local flat = {}
    for field, value in pairs(live) do
      flat[#flat + 1] = field
      flat[#flat + 1] = value
    end
    return {now, outcome, flat}
  end

  return state
end
