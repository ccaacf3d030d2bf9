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

-- A mark has the dead addresses of a user, the newest first, separated by commas. No address has a
-- comma. Older ones than these are forgotten.
local most_dead = 20

-- dead_beside returns the addresses of a mark without one, as a list.
local function dead_beside(mark, address)
  local others = {}
  for other in string.gmatch(redis.call('GET', mark) or '', '[^,]+') do
    if other ~= address and #others < most_dead - 1 then
      others[#others + 1] = other
    end
  end
  return others
end

-- mark_dead adds an address to a mark. others are those of dead_beside, read before the mark was
-- deleted.
local function mark_dead(mark, address, others, milliseconds)
  table.insert(others, 1, address)
  set_for(mark, table.concat(others, ','), milliseconds)
end

-- unmark_dead removes an address from a mark.
local function unmark_dead(mark, address)
  local held = redis.call('GET', mark)
  if not held or held == '' then
    return
  end
  local others = dead_beside(mark, address)
  local ttl = redis.call('PTTL', mark)
  redis.call('DEL', mark)
  if #others > 0 then
    set_for(mark, table.concat(others, ','), ttl)
  end
end

-- copy_of returns the copy of a removed token. head is its JSON up to the campaign. ttl is the
-- token's time to live in ms; 0 or less means no expiry. The time is the server's.
local function copy_of(head, ttl)
  return head .. ',"at":' .. whole(server_ms()) .. ',"ttl":' .. whole(math.max(0, ttl)) .. '}'
end
