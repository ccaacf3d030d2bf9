-- projects records that a dispatcher of a project looks for campaigns, and lists all projects.
-- KEYS: projects.
-- ARGV: the project, '' to list only; how long a project is remembered, in ms.
-- Returns the projects, each followed by when it was last seen, in ms.
local projects = KEYS[1]
local project, keep_ms = ARGV[1], tonumber(ARGV[2])

local bad = wrong_type(projects, 'zset')
if bad then
  return bad
end
local now = server_ms()
if project ~= '' then
  redis.call('ZREMRANGEBYSCORE', projects, '-inf', '(' .. whole(now - keep_ms)) -- a full Redis accepts this write
  redis.call('ZADD', projects, now, project)
  redis.call('PEXPIRE', projects, keep_ms)
end
local seen = {}
for i, value in ipairs(redis.call('ZRANGEBYSCORE', projects, whole(now - keep_ms), '+inf', 'WITHSCORES')) do
  seen[i] = i % 2 == 1 and value or whole(tonumber(value))
end
return seen
