-- change writes fields of a spec in one step. Another message gets another edition. The history
-- gets the old and the new values, and of a message the editions.
-- ARGV: who changes it, how many states follow (0: the state does not matter), the states that
-- allow the change, then fields and values. A field whose value is '' is removed.
-- Returns {'changed'}, {'illegal', state}, {'missing'}, or {'partly', recipients} for another
-- source while the present one is loaded in part.
local spec, counts = KEYS[1], KEYS[2]
local actor, states = ARGV[1], tonumber(ARGV[2])
local before = 2 + states

local bad = wrong_type(spec, 'hash', counts, 'hash')
if bad then
  return bad
end
if redis.call('EXISTS', spec) == 0 then
  return {'missing'}
end
local state = redis.call('HGET', spec, 'state') or ''
if states > 0 and not contains({unpack(ARGV, 3, before)}, state) then
  return {'illegal', state}
end
for i = before + 1, #ARGV, 2 do
  if ARGV[i] == 'source' and ARGV[i + 1] ~= (redis.call('HGET', spec, 'source') or '') then
    local load = string.match(redis.call('HGET', counts, 'source') or '', '^%x+ (%S+)$')
    local progress = load and redis.call('HGET', counts, 'progress:' .. load)
    if progress then
      return {'partly', string.match(progress, '^%d+') or '0'}
    end
  end
end
local changes, longest = {}, 100 -- bytes of a value

local function record(field, old, new)
  if old ~= new then
    changes[#changes + 1] = {field, string.sub(old, 1, longest), string.sub(new, 1, longest)}
  end
end

local fields, gone = {}, {''} -- '' is not a real field: a full Redis accepts this write
for i = before + 1, #ARGV, 2 do
  if ARGV[i] == 'message' then
    local edition = tonumber(redis.call('HGET', spec, 'edition')) or 0 -- an application may have written text there
    fields[#fields + 1], fields[#fields + 2] = 'edition', whole(edition + 1)
    record('message', whole(edition), whole(edition + 1))
  elseif ARGV[i] ~= 'derived_deadline' then -- the deadline says it
    record(ARGV[i], redis.call('HGET', spec, ARGV[i]) or '', ARGV[i + 1])
  end
  if ARGV[i + 1] == '' then
    gone[#gone + 1] = ARGV[i]
  else
    fields[#fields + 1], fields[#fields + 2] = ARGV[i], ARGV[i + 1]
  end
end
if #changes > 0 then
  note(KEYS, {'what', 'changed', 'who', actor, 'changes', cjson.encode(changes)})
end
redis.call('HDEL', spec, unpack(gone))
if #fields > 0 then
  redis.call('HSET', spec, unpack(fields))
end
return {'changed'}
