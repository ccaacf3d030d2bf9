-- refuse adds to the history that the scheduled start of a draft is refused. It does so once for
-- each time of a start and each kind of refusal, however many processes look.
-- ARGV: the time of the start in ms and the kind; the reason; who refuses it.
-- Returns {'noted'}, {'known'}, or {'other'} if the campaign is no draft.
local spec, history = KEYS[1], KEYS[8]
local ref, reason, actor = ARGV[1], ARGV[2], ARGV[3]
local what, looked = 'start refused', 50 -- entries

local bad = wrong_type(spec, 'hash', history, 'stream')
if bad then
  return bad
end
if redis.call('HGET', spec, 'state') ~= 'draft' then
  return {'other'}
end
for _, entry in ipairs(redis.call('XREVRANGE', history, '+', '-', 'COUNT', looked)) do
  local fields = {}
  for i = 1, #entry[2], 2 do
    fields[entry[2][i]] = entry[2][i + 1]
  end
  if fields.what == what and fields.ref == ref then
    return {'known'}
  end
end
note(KEYS, {'what', what, 'who', actor, 'detail', reason, 'ref', ref})
return {'noted'}
