-- Stands before every script. A script does not roll back, so each one checks all types before its first write.
-- Redis refuses a script that grows memory when it is full under noeviction, unless the script has already written:
-- hence the first write of each script is a command that needs no memory.

-- wrong_type takes keys and the types they should have, in turn; it returns an error reply naming the first key that
-- holds another type, nil when there is none.
local function wrong_type(...)
  local wanted = {...}
  for i = 1, #wanted, 2 do
    local key, want = wanted[i], wanted[i + 1]
    local holds = redis.call('TYPE', key).ok
    if holds ~= 'none' and holds ~= want then
      return redis.error_reply('WRONGTYPE key ' .. key .. ' holds ' .. holds .. ', want ' .. want)
    end
  end
  return nil
end

-- server_ms is the server's clock in milliseconds; a worker's clock never decides anything.
local function server_ms()
  local time = redis.call('TIME')
  return tonumber(time[1]) * 1000 + math.floor(tonumber(time[2]) / 1000)
end
