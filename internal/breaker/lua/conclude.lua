-- conclude adds a replica's report once, even if it is repeated, because reports are numbered. A
-- report of another round does not count. A missing breaker stays missing.
--
-- ARGV: replica, number, round, personal, the neutral kind, and the kind that a paused platform
-- excuses. Then the time to keep the breaker in ms, how many claims give admissions back, and how
-- many kinds have a text. Then a claim and a number for each claim, a kind and a text for each
-- text, and kind, platform and number of the answers.
--
-- Returns state.reply with 'counted', 'known', 'over' or 'gone'. The reply has a field 'others'
-- that is not stored. It is when another replica last had an answer, in ms.
local breaker = KEYS[1]
local replica, number, round, personal = ARGV[1], tonumber(ARGV[2]), ARGV[3], ARGV[4]
local neutral, excused, keep_ms, claims, texts = ARGV[5], ARGV[6], ARGV[7], tonumber(ARGV[8]), tonumber(ARGV[9])
local before, most_platforms = 9, 16
local first_text = before + 2 * claims + 1
local first_answer = first_text + 2 * texts

local bad = wrong_type(breaker, 'hash')
if bad then
  return bad
end
local state = open(breaker)
if not state.live.round then
  return state.reply('gone')
end
state.tidy()
local seq = 'seq:' .. replica
local answered, unanswered = 0, 0
for i = first_answer, #ARGV, 3 do
  if NO_ANSWER[ARGV[i]] then
    unanswered = unanswered + tonumber(ARGV[i + 2])
  elseif ARGV[i] ~= neutral then
    answered = answered + tonumber(ARGV[i + 2])
  end
end

-- reply tells beside all else when another replica had an answer.
local function reply(outcome)
  local spoke = 0
  for field, value in pairs(state.live) do
    if begins(field, 'seq:') and field ~= seq then
      spoke = math.max(spoke, tonumber(string.match(value, '^%d+ (%d+) %d+$') or 0))
    end
  end
  state.live.others = whole(spoke)
  return state.reply(outcome, keep_ms)
end

local last, spoke = string.match(state.live[seq] or '', '^(%d+) (%d+) %d+$')
if number <= tonumber(last or 0) then
  return reply(state.live.round == round and 'known' or 'over')
end
if answered > 0 then
  spoke = whole(state.now)
end
state.set(seq, whole(number) .. ' ' .. (spoke or '0') .. ' ' .. whole(state.now))
if state.live.round ~= round then
  return reply('over')
end

if state.live.personal ~= personal then
  state.set('personal', personal)
end
for i = before + 1, first_text - 1, 2 do
  local lease = 'lease:' .. ARGV[i]
  local held, till = string.match(state.live[lease] or '', '^(%d+) (%d+)$')
  local left = tonumber(held or 0) - tonumber(ARGV[i + 1])
  if held and left > 0 then
    state.set(lease, whole(left) .. ' ' .. till)
  elseif held then
    state.remove(lease)
  end
end
for i = first_text, first_answer - 1, 2 do
  state.set('said:' .. ARGV[i], ARGV[i + 1])
end

local platforms, different = {}, 0
local function remember(platform)
  if not platforms[platform] then
    platforms[platform] = true
    different = different + 1
  end
end
for field in pairs(state.live) do
  remember(string.match(field, '^window:%d+:[^:]*:(.+)$') or '')
end

-- named is the platform, or '' when an audience has so many that they are no platforms.
local function named(platform)
  if platform ~= '' and different < most_platforms then
    remember(platform)
  end
  return platforms[platform] and platform or ''
end

local bucket = whole(math.floor(state.now / BUCKET_MS))
for i = first_answer, #ARGV, 3 do
  local kind, platform, n = ARGV[i], ARGV[i + 1], ARGV[i + 2]
  if kind ~= excused or not state.live['platform:' .. platform] then
    local label = kind .. ':' .. named(platform)
    state.add('window:' .. bucket .. ':' .. label, n)
    if kind ~= neutral and not state.live.passed then
      state.add('canary:' .. label, n)
      state.add(NO_ANSWER[kind] and 'spent' or 'proofs', n)
    end
  end
end
local recent = 'recent:' .. whole(math.floor(state.now / 1000))
if answered > 0 then
  state.add(recent .. ':answered', answered)
end
if unanswered > 0 then
  state.add(recent .. ':unanswered', unanswered)
end
return reply('counted')
