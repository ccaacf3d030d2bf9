-- The guard of a list, for every script that looks at one. It follows kept_ms, which is how long a
-- list is kept beyond its deadline while it has a campaign.
--
-- The guard is an expiry that we set in place of the producer's, so that waiting recipients are
-- kept longer. It uses these fields of counts:
--
--   deadline  when the list would have expired, in ms; without a list, that of the last one
--   assumed   1 if no producer set that expiry: our loader did, by default
--   guard     the expiry that we set instead, beyond the deadline
--   seen      the most recipients so far: those claimed and those listed
local guard_fields = {'deadline', 'guard', 'claimed', 'seen', 'assumed'}

-- notes_of reads these fields from a reply to HMGET, after a number of others.
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

-- guard_list turns the expiry that a producer has set into a deadline, and keeps the list for
-- keep_ms beyond it. It also notes how many recipients were seen; listed is how many are in the
-- list. It updates notes as well, and writes nothing if all is in order.
--
-- An expiry other than the guard is the producer's. Clocks that round get a second of tolerance.
--
-- A guarded list always has an expiry. A list without one is newer than its counts and has no
-- deadline.
--
-- There is one deadline for all, that of the newest list. It holds for retries from an older list
-- too.
--
-- No producer sets an expiry as far away as kept_ms. Such an expiry is the guard of a list whose
-- counts are lost, and it tells the deadline. If the campaign is gone too, the list is kept for at
-- least keep_ms from now.
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

  -- Each order of writes is safe to cut. A new deadline is noted before the guard is set: until
  -- then the producer's expiry gives it again. A guard is moved before it is noted: its distance
  -- from the deadline identifies it.
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

  local total = notes.claimed + listed
  if total > notes.seen then
    note('seen', total)
  end
  if #fields > 0 then
    redis.call('HDEL', counts, '') -- removes nothing, but a full Redis accepts it
    redis.call('HSET', counts, unpack(fields))
  end
  if adopted then
    redis.call('PEXPIREAT', list, whole(guard))
  end
end

