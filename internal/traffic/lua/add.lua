-- add adds the counts of one process to the slot of ten seconds and to the minute of the present.
-- KEYS: the record, a hash of s<slot> and m<minute> to counts, and of by:<process> to its last
-- batch: "<number> <minute>".
-- ARGV: process, number of the batch, how long the record is kept in ms, the counts.
-- Returns 1, or 0 if the batch was added before.
--
-- Cut: one HSET writes all, so a repeated call finds the batch added, or nothing of it.
local fine_kept, coarse_kept = 180, 1440
local record = KEYS[1]
local process, number, kept_ms = 'by:' .. ARGV[1], ARGV[2], ARGV[3]

local bad = wrong_type(record, 'hash')
if bad then
  return bad
end

local function sum(a, b)
  local all = {}
  for n in string.gmatch(a or '', '%d+') do
    all[#all + 1] = tonumber(n)
  end
  local i = 0
  for n in string.gmatch(b, '%d+') do
    i = i + 1
    all[i] = (all[i] or 0) + tonumber(n)
  end
  for at, n in ipairs(all) do
    all[at] = whole(n)
  end
  return table.concat(all, ',')
end

redis.call('PEXPIRE', record, kept_ms) -- a full Redis accepts this write
local slot = math.floor(server_ms() / 10000)
local minute = math.floor(slot / 6)
local fine, coarse = 's' .. whole(slot), 'm' .. whole(minute)
local old = redis.call('HMGET', record, fine, coarse, process)
if old[3] and string.match(old[3], '^%d+') == number then
  return 0
end
if not old[1] then
  for _, field in ipairs(redis.call('HKEYS', record)) do
    local at = tonumber(string.match(field, '^s(%d+)$') or '')
    local at_minute = tonumber(string.match(field, '^m(%d+)$') or '')
    local gone = at and at <= slot - fine_kept or at_minute and at_minute <= minute - coarse_kept
    if not at and not at_minute and field ~= process then
      local last = tonumber(string.match(redis.call('HGET', record, field), ' (%d+)$') or '')
      gone = not last or last < minute - 60
    end
    if gone then
      redis.call('HDEL', record, field)
    end
  end
end
redis.call('HSET', record, fine, sum(old[1], ARGV[4]), coarse, sum(old[2], ARGV[4]), process, number .. ' ' .. whole(minute))
redis.call('PEXPIRE', record, kept_ms)
return 1
