-- append_pushed does for a batch what append does, but its elements were pushed right before, in
-- the same transaction. They do not pass through Lua, which would double what a batch costs. A
-- batch that is refused is taken back.
--
-- ARGV, after those of append_prelude.lua: the last element.
-- Returns what append returns, or 'begun' if a call about this batch was cut: append finishes it.
-- Cut: until the note is written, the batch is taken back.

-- take_back removes the batch from the end of the list. Nothing comes between its push and this
-- script. If the push failed, which only a change of the permissions in between can cause, the last
-- element is not there.
local function take_back()
  local last = redis.pcall('LINDEX', list, '-1')
  if last == ARGV[10] then
    redis.call('LTRIM', list, '0', whole(-size - 1))
  end
end

-- as_error returns what pcall caught as an error reply. Old servers raise texts.
local function as_error(caught)
  return type(caught) == 'table' and caught or redis.error_reply(tostring(caught))
end

local read, batch, refused = pcall(read_batch)
if not read or not batch then
  take_back()
  return read and refused or as_error(batch)
end
if batch.known or batch.begun then
  take_back()
  return batch.begun and 'begun' or 'known'
end
local now = server_ms()
local noted, problem = pcall(note_batch, batch, batch.claimed + redis.call('LLEN', list) - size, now)
if not noted then
  take_back()
  return as_error(problem)
end
finish_batch(batch, now, true)
return 'appended'
