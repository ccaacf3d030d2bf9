-- Stands before every script about tokens. The first write of each is a DEL, and that of a token comes last: a cut leaves a mark or a
-- copy that is not needed, and no token without its copy.

-- text_of is what a user's token key holds: '' without one, false where the application keeps another type.
local function text_of(key)
  local holds = redis.call('TYPE', key).ok
  if holds == 'none' then
    return ''
  end
  return holds == 'string' and redis.call('GET', key)
end

-- set_for stores text for a time in ms; not above zero: for ever. What the key held is written over.
local function set_for(key, text, milliseconds)
  if milliseconds > 0 then
    redis.call('SET', key, text, 'PX', whole(milliseconds))
  else
    redis.call('SET', key, text)
  end
end

-- copy_of is what is kept of a removed token: head is its JSON up to the campaign; ttl is the time in ms that the token
-- had to live, not above zero: for ever. The clock is the server's.
local function copy_of(head, ttl)
  return head .. ',"at":' .. whole(server_ms()) .. ',"ttl":' .. whole(math.max(0, ttl)) .. '}'
end
