-- Precedes every script about tokens. Each script first writes a DEL, which a full Redis accepts.
-- It writes the token last: an interruption leaves a superfluous mark or copy, never a token
-- without its copy.

-- text_of returns a user's token: '' without one, false if the key holds another type.
local function text_of(key)
  local holds = redis.call('TYPE', key).ok
  if holds == 'none' then
    return ''
  end
  return holds == 'string' and redis.call('GET', key)
end

-- set_for stores text for a time in ms, or without an expiry if the time is 0 or less.
local function set_for(key, text, milliseconds)
  if milliseconds > 0 then
    redis.call('SET', key, text, 'PX', whole(milliseconds))
  else
    redis.call('SET', key, text)
  end
end

-- copy_of returns the copy of a removed token. head is its JSON up to the campaign. ttl is the
-- token's time to live in ms; 0 or less means no expiry. The time is the server's.
local function copy_of(head, ttl)
  return head .. ',"at":' .. whole(server_ms()) .. ',"ttl":' .. whole(math.max(0, ttl)) .. '}'
end
