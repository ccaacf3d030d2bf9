-- Stands before every script about a campaign's breaker.
--
-- A campaign's breaker is one hash. A round is a canary and what follows it, up to a trip or a
-- reset. Its fields:
--   round                              its number, which only grows: the moment in ms at which it began, or more
--   passed                             '1' once the canary looks sane
--   opens                              ms before which nobody is admitted to the canary
--   proofs                             answers of the canary, but for those that prove nothing
--   spent                              pushes of the canary that got no answer: they keep their places
--   personal                           '1' when each recipient gets a message of their own
--   lease:<claim>                      '<admissions> <until ms>' of the canary
--   canary:<kind>:<platform>           answers in the canary
--   window:<bucket>:<kind>:<platform>  answers in ten seconds
--   recent:<second>:answered, :unanswered  how many pushes got an answer in that second, and how many got none
--   seq:<replica>                      '<number> <answered ms> <ms>': its last tally that was counted, when it last had
--                                      an answer, and when that was
--   hold                               '<id> <since ms> <tries> <next ms> <kind> <reason>' while no one is admitted,
--                                      because pushes got no answers; a probe that is answered ends it
--   released                           '<tries> <ms>' of the last hold that ended
--   probed                             '1' in a round that a probe began
--   platform:<platform>                '<id> <reason>' of a platform that is paused
--   reset                              the id of the last reset
--   last, trip, trip_until             the last trip as JSON; who is to act on it, up to which ms
local BUCKET_MS, BUCKETS, SEQ_MS, RECENT = 10000, 6, 600000, 3

-- NO_ANSWER are the kinds of pushes that got no answer of FCM's.
local NO_ANSWER = {unanswered = true, wrong_endpoint = true}

local function begins(text, prefix)
  return string.sub(text, 1, #prefix) == prefix
end

-- has_ended tells what time alone takes out of a breaker.
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

-- open reads a breaker at the server's time. What is changed through it is one write, in which a
-- field that goes becomes ''. So a cut leaves nothing half done: '' is no value, and the next write
-- removes such fields.
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
  local book = {now = now, live = live}
  local changed, tidied = {}, false

  -- tidy says that the breaker is to be written.
  function book.tidy()
    tidied = true
  end

  -- flush writes all that was changed.
  function book.flush()
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

  function book.number(field)
    return tonumber(live[field]) or 0
  end

  function book.set(field, value)
    live[field], changed[field] = value, true
  end

  function book.remove(field)
    live[field], changed[field] = nil, true
  end

  function book.add(field, n)
    book.set(field, whole(book.number(field) + n))
  end

  -- drop removes the fields that match one of the patterns, and returns the sum of their numbers.
  function book.drop(...)
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

  -- begin starts a round. Processes may take the old one's pass for valid for hold_ms still; until
  -- they do not, nobody is admitted to the new canary.
  function book.begin(hold_ms)
    if live.passed then
      book.set('opens', whole(now + hold_ms))
    end
    book.drop('^passed$', '^proofs$', '^spent$', '^probed$', '^canary:', '^window:', '^recent:', '^lease:')
    book.set('round', whole(math.max(now, book.number('round') + 1)))
  end

  -- reply is {now, outcome, fields and values}; keep_ms, where given, is how long the breaker
  -- outlives its last use.
  function book.reply(outcome, keep_ms)
    book.flush()
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

  return book
end
