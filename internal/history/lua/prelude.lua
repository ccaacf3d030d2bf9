-- How many entries a history keeps, and the longest text in bytes.
local history_entries, history_text = 200, 1000

-- is_newest reports whether the newest entry of a history has these fields.
local function is_newest(history, entry)
  local newest = redis.call('XREVRANGE', history, '+', '-', 'COUNT', 1)[1]
  if not newest or #newest[2] ~= #entry then
    return false
  end
  for i, text in ipairs(entry) do
    if newest[2][i] ~= text then
      return false
    end
  end
  return true
end

-- add_entry adds an entry to a history. fields are names and texts; empty texts are left out. Call
-- it before the change that it describes: then no change lacks its entry, wherever the script
-- stops. A repeated call finds its entry as the newest, and adds none. A key of another type is
-- left alone. Returns whether the key is a history.
local function add_entry(history, fields)
  if wrong_type(history, 'stream') then
    return false
  end
  local entry = {}
  for i = 1, #fields, 2 do
    if fields[i + 1] ~= '' then
      entry[#entry + 1], entry[#entry + 2] = fields[i], string.sub(fields[i + 1], 1, history_text)
    end
  end
  if not is_newest(history, entry) then
    redis.call('XTRIM', history, 'MAXLEN', history_entries - 1) -- a full Redis accepts this write
    redis.call('XADD', history, '*', unpack(entry))
  end
  return true
end

