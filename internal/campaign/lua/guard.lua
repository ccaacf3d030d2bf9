-- guard keeps the list of a campaign, or a list without a campaign: see guard in prelude.lua.
-- Each Discover calls it. It writes nothing if all is in order, or if the campaign has ended and
-- got no new recipients.
-- ARGV: how long a list without a campaign is kept after its deadline in ms, then the final
-- states.
-- Returns {'guarded', how many vanished from the list, 1 if its deadline has passed}.
local spec, counts, list = KEYS[1], KEYS[2], KEYS[3]

local bad = wrong_type(spec, 'hash', counts, 'hash', list, 'list')
if bad then
  return bad
end
local state = redis.call('HGET', spec, 'state')
if contains({unpack(ARGV, 2)}, state) or (state == 'completed' and redis.call('EXISTS', list) == 0) then
  return {'guarded', '0', '0'}
end
local notes, vanished = guard(KEYS, tonumber(ARGV[1]))
local passed = notes.deadline > 0 and notes.assumed == 0 and notes.deadline <= server_ms()
return {'guarded', whole(vanished), passed and '1' or '0'}
