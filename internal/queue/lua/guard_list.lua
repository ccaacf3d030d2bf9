-- The guard of a list, for every script that looks at one. It stands behind kept_ms, which is how long a list is kept beyond its
-- deadline while it has a campaign. Its fields in counts:
--   deadline  when the list would have expired, in ms; while there is no list, the last one's
--   assumed   1 if no producer set that expiry: our loader did, by default
--   guard     the expiry that we set instead, beyond the deadline
--   seen      the most recipients there have been so far: those claimed, and those listed
local guard_fields = {'deadline', 'guard', 'claimed', 'seen', 'assumed'}

-- notes_of takes the values of these fields out of a reply to HMGET, behind so many others.
local function notes_of(found, others)
  local notes = {}
  for i, field in ipairs(guard_fields) do
    notes[field] = tonumber(found[others + i] or 0) or 0
  end
  return notes
end

local function read_notes(counts)
  return notes_of(redis.call('HMGET', counts, unpack(guard_fields)), 0)
end

-- guard_list makes a deadline of the expiry that a producer has set, keeps the list for keep_ms beyond it, and notes how many
-- recipients were seen, of whom so many are listed. It changes notes alike, and writes nothing where all is in order.
--
-- An expiry that is not the guard is the producer's; a second of tolerance is for clocks that round. A guarded list always has an
-- expiry, so one without is newer than its counts and has no deadline. There is one deadline for all, the newest list's: it holds
-- for retries of an older list too. An expiry so far away that no producer means it is the guard of a list whose counts are lost, and
-- tells its deadline. Where its campaign is gone, too, the list is kept for keep_ms from now at least.
local function guard_list(list, counts, notes, listed, keep_ms, now)
  local ttl = redis.call('PTTL', list)
  if ttl == -2 then
    return
  end
  local function expires_at(moment)
    return math.abs(now + ttl - moment) <= 1000
  end
  local fields = {}
  local function note(field, value)
    notes[field] = value
    fields[#fields + 1] = field
    fields[#fields + 1] = whole(value)
  end

  -- Each order of writes is safe to cut off. A new deadline is noted first: the producer's expiry would give it again. A guard is
  -- moved first: it is recognised by its distance from the deadline.
  local adopted, guard = false, notes.deadline + keep_ms
  if ttl == -1 then
    if notes.deadline > 0 then
      redis.call('HDEL', counts, 'deadline', 'guard', 'assumed')
      notes.deadline, notes.guard, notes.assumed = 0, 0, 0
    end
  elseif notes.deadline > 0 and (expires_at(notes.guard) or expires_at(guard)) then
    if now + ttl < guard - 1000 then
      redis.call('PEXPIREAT', list, whole(guard))
    end
    if notes.guard ~= guard and now + ttl < guard + 1000 then
      note('guard', guard)
    end
  else
    local deadline = now + ttl
    if ttl > kept_ms / 2 then
      deadline = deadline - kept_ms
    end
    adopted, guard = true, math.max(deadline, keep_ms < kept_ms and now or deadline) + keep_ms
    redis.call('HDEL', counts, 'assumed')
    notes.assumed = 0
    note('deadline', deadline)
    note('guard', guard)
  end

  local there = notes.claimed + listed
  if there > notes.seen then
    note('seen', there)
  end
  if #fields > 0 then
    redis.call('HDEL', counts, '') -- no field: the write that a full Redis accepts
    redis.call('HSET', counts, unpack(fields))
  end
  if adopted then
    redis.call('PEXPIREAT', list, whole(guard))
  end
end

