-- adopt repairs a spec that an application wrote, or that got recipients late. A completed
-- campaign whose list has elements again runs again. The keys of a running or paused one do not
-- expire. Each Discover calls it; it writes nothing if all is in order. A running campaign that
-- names no project is assigned to the caller's, so that no other project sends it.
-- ARGV: the project, '' for a process that has none; who adopts it.
-- Returns {'adopted'} or {'missing'}.
local spec, counts, list = KEYS[1], KEYS[2], KEYS[3]
local project, actor = ARGV[1] or '', ARGV[2]

local bad = wrong_type(spec, 'hash', counts, 'hash')
if bad then
  return bad
end
if redis.call('EXISTS', spec) == 0 then
  return {'missing'}
end

-- sound reports whether a running campaign is as enter leaves it, but for an expiry.
local function sound()
  local stamps = redis.call('HMGET', spec, 'created_at', 'started_at', 'finished_at', 'reason', 'paused_at')
  return stamps[1] and stamps[2] and not stamps[3] and not stamps[4] and not stamps[5]
end

-- run enters the state, for a reason that goes into the history only.
local function run(why)
  note(KEYS, {'what', name_step(spec, 'running'), 'who', actor, 'detail', why})
  enter(KEYS, 'running', '', 0)
end

local state = redis.call('HGET', spec, 'state')
if state == 'running' and not sound() then
  run('an application wrote the state')
elseif state == 'running' and redis.call('PTTL', spec) ~= -1 then
  enter(KEYS, 'running', '', 0)
elseif state == 'completed' and redis.call('EXISTS', list) == 1 then
  run('recipients came after the end')
elseif state == 'paused' then
  keep(KEYS)
end
if project ~= '' and redis.call('HGET', spec, 'state') == 'running' and (redis.call('HGET', spec, 'project') or '') == '' then
  redis.call('HDEL', spec, '') -- not a real field: a full Redis accepts this write
  redis.call('HSET', spec, 'project', project)
end
return {'adopted'}
