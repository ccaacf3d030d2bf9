-- What the scripts have in common that append a batch. It is placed after prelude.lua.
--
-- KEYS: list, counts, the bitmap of the load's batches.
-- ARGV: the load, the batch's number, the deadline in ms from now (0: leave it alone), how long to
-- remember the load in ms, a field that counts must have ('': none), how long the list is kept
-- beyond its deadline in ms, a field of counts to set ('': none) and its value, the number of
-- elements.
--
-- Field 'replaces' of counts says how many elements are missing that were in the list. Loaded
-- elements take their place first, and only the others add to 'seen'.
--
-- Cut: field 'append' of counts is '<number> <place> <accepted> <seen> <load>' while a batch is
-- under way. place is its place among all elements ever listed. accepted is the count before the
-- batch, and seen the count after it. A repeated call resumes from that note. Another load moves
-- the note to field 'append:<load>' first.
local list, counts, memory = KEYS[1], KEYS[2], KEYS[3]
local load, number, ttl_ms, memory_ms, mark = ARGV[1], ARGV[2], tonumber(ARGV[3]), ARGV[4], ARGV[5]
local keep_ms, field, text, size = tonumber(ARGV[6]), ARGV[7], ARGV[8], tonumber(ARGV[9])
local moved = 'append:' .. load

-- read_note returns the number, place, accepted, seen and load of a batch under way.
local function read_note(note)
  return string.match(note or '', '^(%d+) (%d+) (%d+) (%d+) (.*)$')
end

-- read_batch returns what counts says of the batch, or nil and why the batch is refused.
local function read_batch()
  local bad = wrong_type(list, 'list', counts, 'hash', memory, 'string')
  if bad then
    return nil, bad
  end
  if mark ~= '' and redis.call('HEXISTS', counts, mark) == 0 then
    return nil, 'unmarked'
  end
  local noted = redis.call('HMGET', counts, 'append', moved, 'claimed', 'accepted', 'seen', 'replaces', 'guard')
  local _, _, _, _, other = read_note(noted[1])
  local of, place, earlier, after, by = read_note(noted[2] or noted[1])
  local begun = of == number and by == load
  return {
    note = noted[1], other = other, moved = noted[2], guard = tonumber(noted[7]) or 0,
    claimed = tonumber(noted[3]) or 0, accepted = tonumber(noted[4]) or 0,
    seen = tonumber(noted[5]) or 0, replaces = tonumber(noted[6]) or 0,
    begun = begun, known = redis.call('GETBIT', memory, number) == 1,
    place = begun and tonumber(place), earlier = begun and tonumber(earlier), after = begun and tonumber(after),
  }
end

-- note_batch notes that the batch is under way, from its place on. The deadline is noted first and
-- its guard last. In between, the old guard identifies the list.
local function note_batch(batch, place, now)
  if batch.other and batch.other ~= load then
    redis.call('HSET', counts, 'append:' .. batch.other, batch.note)
  end
  batch.after = math.max(batch.seen, place) + size - math.min(batch.replaces, size)
  local note = string.format('%s %d %d %d %s', number, place, batch.accepted, batch.after, load)
  if ttl_ms > 0 then
    redis.call('HSET', counts, 'append', note, 'deadline', whole(now + ttl_ms), 'assumed', '1')
  else
    redis.call('HSET', counts, 'append', note)
  end
end

-- finish_batch remembers and counts a batch whose elements are in the list, and guards the list:
-- see guard_list.lua.
local function finish_batch(batch, now, noted)
  redis.call('SETBIT', memory, number, 1)
  redis.call('PEXPIRE', memory, memory_ms)
  local written = {
    'accepted', whole(batch.accepted + size),
    'seen', whole(math.max(batch.seen, batch.after)),
    'replaces', whole(batch.replaces - math.min(batch.replaces, size)),
  }
  local function write(name, value)
    written[#written + 1], written[#written + 2] = name, value
  end
  if ttl_ms > 0 then
    local ends, guard = now + redis.call('PTTL', list), now + ttl_ms + keep_ms
    local ours = math.abs(ends - batch.guard) <= 1000
    if not ours then -- no guard, or a producer's expiry, which would become the deadline
      redis.call('HSET', counts, 'guard', whole(guard))
    end
    if not ours or ends < guard then
      redis.call('PEXPIREAT', list, whole(guard))
      write('guard', whole(guard))
    end
  end
  if field ~= '' then
    write(field, text)
  end
  if noted or batch.other == load then
    write('append', '')
  end
  if batch.moved then
    write(moved, '')
  end
  redis.call('HSET', counts, unpack(written))
  if batch.moved then
    redis.call('HDEL', counts, moved)
  end
end
