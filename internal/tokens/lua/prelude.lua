-- Stands before every script. A script does not roll back, so types are checked before the first write. Redis refuses a
-- script that grows memory when it is full under noeviction, unless the script has already written: hence the first
-- write of each script is a DEL.

-- wrong_type takes keys of ours, which hold strings; it returns an error reply naming the first that holds another type.
local function wrong_type(...)
  for _, key in ipairs({...}) do
    local holds = redis.call('TYPE', key).ok
    if holds ~= 'none' and holds ~= 'string' then
      return redis.error_reply('WRONGTYPE key ' .. key .. ' holds ' .. holds .. ', want string')
    end
  end
  return nil
end

-- text_of is what a user's token key holds: '' without one, false where the application keeps another type.
local function text_of(key)
  local holds = redis.call('TYPE', key).ok
  if holds == 'none' then
    return ''
  end
  return holds == 'string' and redis.call('GET', key)
end

-- set_for stores text for a time in ms; not above zero: for ever.
local function set_for(key, text, milliseconds)
  redis.call('DEL', key)
  if milliseconds > 0 then
    redis.call('SET', key, text, 'PX', string.format('%.0f', milliseconds))
  else
    redis.call('SET', key, text)
  end
end

-- copy_of is what is kept of a removed token: head is its JSON up to the campaign; ttl is the time in ms that the token
-- had to live, not above zero: for ever. The clock is the server's.
local function copy_of(head, ttl)
  local time = redis.call('TIME')
  local now = tonumber(time[1]) * 1000 + math.floor(tonumber(time[2]) / 1000)
  return head .. ',"at":' .. string.format('%.0f', now) .. ',"ttl":' .. string.format('%.0f', math.max(0, ttl)) .. '}'
end
