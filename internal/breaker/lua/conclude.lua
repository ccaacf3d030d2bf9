-- conclude adds a replica's tally once, whatever is repeated: its tallies are numbered. What
-- belongs to another round than the present one counts no more. A breaker that is gone stays gone.
-- ARGV: replica, number, round, personal, the kind that proves nothing, the kind that a paused
-- platform excuses, how long to keep the breaker in ms, how many claims give admissions back; a
-- claim and a number for each; then kind, platform and number of the answers. Returns book.reply
-- with 'counted', 'known', 'over' or 'gone', and with a field 'others' that is not stored: when
-- another replica last had an answer, in ms.
local breaker = KEYS[1]
local replica, number, round, personal = ARGV[1], tonumber(ARGV[2]), ARGV[3], ARGV[4]
local neutral, excused, keep_ms, claims = ARGV[5], ARGV[6], ARGV[7], tonumber(ARGV[8])
local before, most_platforms = 8, 16

local bad = wrong_type(breaker, 'hash')
if bad then
  return bad
end
local book = open(breaker)
if not book.live.round then
  return book.reply('gone')
end
book.tidy()
local seq = 'seq:' .. replica
local answered, unanswered = 0, 0
for i = before + 2 * claims + 1, #ARGV, 3 do
  if NO_ANSWER[ARGV[i]] then
    unanswered = unanswered + tonumber(ARGV[i + 2])
  elseif ARGV[i] ~= neutral then
    answered = answered + tonumber(ARGV[i + 2])
  end
end

-- reply tells beside all else when another replica had an answer.
local function reply(outcome)
  local spoke = 0
  for field, value in pairs(book.live) do
    if begins(field, 'seq:') and field ~= seq then
      spoke = math.max(spoke, tonumber(string.match(value, '^%d+ (%d+) %d+$') or 0))
    end
  end
  book.live.others = whole(spoke)
  return book.reply(outcome, keep_ms)
end

local last, spoke = string.match(book.live[seq] or '', '^(%d+) (%d+) %d+$')
if number <= tonumber(last or 0) then
  return reply(book.live.round == round and 'known' or 'over')
end
if answered > 0 then
  spoke = whole(book.now)
end
book.set(seq, whole(number) .. ' ' .. (spoke or '0') .. ' ' .. whole(book.now))
if book.live.round ~= round then
  return reply('over')
end

if book.live.personal ~= personal then
  book.set('personal', personal)
end
for i = before + 1, before + 2 * claims, 2 do
  local lease = 'lease:' .. ARGV[i]
  local held, till = string.match(book.live[lease] or '', '^(%d+) (%d+)$')
  local left = tonumber(held or 0) - tonumber(ARGV[i + 1])
  if held and left > 0 then
    book.set(lease, whole(left) .. ' ' .. till)
  elseif held then
    book.remove(lease)
  end
end

local platforms, different = {}, 0
local function remember(platform)
  if not platforms[platform] then
    platforms[platform] = true
    different = different + 1
  end
end
for field in pairs(book.live) do
  remember(string.match(field, '^window:%d+:[^:]*:(.+)$') or '')
end

-- named is the platform, or '' when an audience has so many that they are no platforms.
local function named(platform)
  if platform ~= '' and different < most_platforms then
    remember(platform)
  end
  return platforms[platform] and platform or ''
end

local bucket = whole(math.floor(book.now / BUCKET_MS))
for i = before + 2 * claims + 1, #ARGV, 3 do
  local kind, platform, n = ARGV[i], ARGV[i + 1], ARGV[i + 2]
  if kind ~= excused or not book.live['platform:' .. platform] then
    local label = kind .. ':' .. named(platform)
    book.add('window:' .. bucket .. ':' .. label, n)
    if kind ~= neutral and not book.live.passed then
      book.add('canary:' .. label, n)
      book.add(NO_ANSWER[kind] and 'spent' or 'proofs', n)
    end
  end
end
local recent = 'recent:' .. whole(math.floor(book.now / 1000))
if answered > 0 then
  book.add(recent .. ':answered', answered)
end
if unanswered > 0 then
  book.add(recent .. ':unanswered', unanswered)
end
return reply('counted')
