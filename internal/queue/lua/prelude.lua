-- Helpers for every script of the queue. It is placed after common.lua, and before every script.

-- max_unpack is how many values a call may unpack without overflowing Lua's stack.
local max_unpack = 5000

-- call_all calls a variadic command with all of args, or with those from an index on, in several
-- calls if needed.
local function call_all(command, key, args, from)
  for first = from or 1, #args, max_unpack do
    redis.call(command, key, unpack(args, first, math.min(first + max_unpack - 1, #args)))
  end
end

-- bytes_of returns a text as numbers, and text_of turns them back into a text. Changing single
-- characters of a string costs many times more.
local function bytes_of(text)
  if #text <= max_unpack then
    return {string.byte(text, 1, -1)}
  end
  local bytes = {}
  for i = 1, #text do
    bytes[i] = string.byte(text, i)
  end
  return bytes
end

local function text_of(bytes)
  local pieces = {}
  for first = 1, #bytes, max_unpack do
    pieces[#pieces + 1] = string.char(unpack(bytes, first, math.min(first + max_unpack - 1, #bytes)))
  end
  return table.concat(pieces)
end

-- A lease is a list: a header, then the elements, so an element's position is its index. Elements
-- are not joined into one string, because Lua in Redis hashes every byte of every string it makes.
--
-- The header is "<marks> <fresh>". marks has one character for each position: '1' while it is
-- leased and '0' once it is settled. See completer_of for fresh.
local mark_leased, mark_settled = string.byte('1'), string.byte('0')

local function write_lease(lease, values, fresh)
  redis.call('RPUSH', lease, string.rep('1', #values) .. ' ' .. fresh, unpack(values, 1, math.min(max_unpack, #values)))
  call_all('RPUSH', lease, values, max_unpack + 1)
end

-- read_header returns marks and fresh. Both are empty without a header.
local function read_header(header)
  local cut = header and string.find(header, ' ', 1, true)
  if not cut then
    return '', ''
  end
  return string.sub(header, 1, cut - 1), string.sub(header, cut + 1)
end

-- read_lease returns fresh, the positions that are leased, and the values of all positions.
local function read_lease(lease)
  local values = redis.call('LRANGE', lease, '0', '-1')
  local marks, fresh = read_header(table.remove(values, 1))
  local positions = {}
  for position in string.gmatch(marks, '()1') do
    positions[#positions + 1] = position
  end
  return fresh, positions, values
end

-- An element straight from the producer's list is stored in its lease as it is. The words it lacks
-- are in fresh, "<first> <before> <since ms>": the elements from position first on are such ones,
-- and the first of them is number before + 1 of the list.
--
-- completer_of returns a function that takes a position and its stored value, and returns the value
-- "<id> <attempts> <lost> <since ms> <raw>". An element whose progress was saved has these words
-- already. Its id shows that, because no producer knows the id of a claim.
local function completer_of(claim, fresh)
  local first, before, since = string.match(fresh, '^(%d+) (%d+) (%d+)$')
  if not first then
    return function(_, value)
      return value
    end
  end
  first, before = tonumber(first), tonumber(before)
  return function(position, value)
    if position < first then
      return value
    end
    local id = claim .. ':' .. whole(before + 1 + position - first) .. ' '
    if string.sub(value, 1, #id) == id then
      return value
    end
    return id .. '0 0 ' .. since .. ' ' .. value
  end
end
