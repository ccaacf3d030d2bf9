-- Helpers for every script of every package. It is placed before all of them.
--
-- A script does not roll back, so each one checks types before its first write. A key of another
-- type ends the script. Keys that a script deletes, overwrites or gives an expiry may hold any
-- type.
--
-- A script may still fail between two writes, and the next call must cope with what was written.
-- test/cuts tries each place.
--
-- A full Redis with noeviction refuses a script that grows memory, unless the script has already
-- written. So the first write of each script, except the appending ones, is a command that needs no
-- memory.

-- wrong_type takes keys and their expected types in turn. It returns an error reply that names the
-- first key of another type, or nil if there is none.
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

-- server_ms and server_us return the server's clock, in milliseconds and microseconds. No decision
-- depends on a caller's clock.
local function server_ms()
  local time = redis.call('TIME')
  return tonumber(time[1]) * 1000 + math.floor(tonumber(time[2]) / 1000)
end

local function server_us()
  local time = redis.call('TIME')
  return tonumber(time[1]) * 1000000 + tonumber(time[2])
end

-- whole formats a number with all its digits, which tostring does not. Passing numbers to
-- redis.call is several times slower than passing texts, so scripts that run for each claim pass
-- texts.
local function whole(n)
  return string.format('%d', n)
end

