-- look changes nothing. Returns state.reply with 'seen'.
local breaker = KEYS[1]

local bad = wrong_type(breaker, 'hash')
if bad then
  return bad
end
return open(breaker).reply('seen')
