-- Stands before every script, of every room. A script does not roll back, so each one looks at types before its first write: a
-- key of another type ends it, unless the key is one that a script deletes, writes over or gives an expiry, whatever it holds.
-- It may fail all the same between two writes, and the next call has to cope with what was written: test/cuts tries each place.
-- Redis refuses a script that grows memory when it is full under noeviction, unless the script has already written:
-- hence the first write of each script (of the appending ones excepted) is a command that needs no memory.

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

-- The server's clock, in milliseconds and in microseconds; a caller's clock never decides anything.
local function server_ms()
  local time = redis.call('TIME')
  return tonumber(time[1]) * 1000 + math.floor(tonumber(time[2]) / 1000)
end

local function server_us()
  local time = redis.call('TIME')
  return tonumber(time[1]) * 1000000 + tonumber(time[2])
end

-- whole writes a number with all its digits, which tostring does not. Numbers that redis.call is given cost Redis several times
-- as much: scripts that run for each claim give it texts.
local function whole(n)
  return string.format('%d', n)
end

