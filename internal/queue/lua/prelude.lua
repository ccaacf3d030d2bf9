-- Stands before every script of the queue.

-- piece is how many values Lua's stack can hold with ease.
local piece = 5000

-- call_all calls a variadic command with all of args, or those from an index on, piece by piece.
local function call_all(command, key, args, from)
  for first = from or 1, #args, piece do
    redis.call(command, key, unpack(args, first, math.min(first + piece - 1, #args)))
  end
end

-- bytes_of is a text as numbers, and text_of the text again. Reading and changing single characters of a string costs many times more.
local function bytes_of(text)
  if #text <= piece then
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
  for first = 1, #bytes, piece do
    pieces[#pieces + 1] = string.char(unpack(bytes, first, math.min(first + piece - 1, #bytes)))
  end
  return table.concat(pieces)
end

-- A lease is a list: a header, then its elements, so that an element's position is its index. It is a list, and an
-- element is never joined to others, because Redis' Lua hashes every byte of every string it makes. The header is
-- "<marks> <fresh>": for each position a '1' while it is held and a '0' once it is settled; fresh is described at dresser.
local mark_held, mark_settled = string.byte('1'), string.byte('0')

local function seal(lease, values, fresh)
  redis.call('RPUSH', lease, string.rep('1', #values) .. ' ' .. fresh, unpack(values, 1, math.min(piece, #values)))
  call_all('RPUSH', lease, values, piece + 1)
end

-- read_header returns marks and fresh; both are empty where there is no header.
local function read_header(header)
  local cut = header and string.find(header, ' ', 1, true)
  if not cut then
    return '', ''
  end
  return string.sub(header, 1, cut - 1), string.sub(header, cut + 1)
end

-- unseal returns fresh, the positions that are held, and the values of all positions.
local function unseal(lease)
  local values = redis.call('LRANGE', lease, '0', '-1')
  local marks, fresh = read_header(table.remove(values, 1))
  local positions = {}
  for position in string.gmatch(marks, '()1') do
    positions[#positions + 1] = position
  end
  return fresh, positions, values
end

-- Elements that come straight from the producer's list are kept in their lease as they are. What they lack is in fresh:
-- "<first> <before> <since ms>" says that the elements from position first on are such ones, the first of them being the
-- list's (before + 1)-th. dresser makes a function that takes a position and what is kept there, and returns the value
-- "<id> <attempts> <lost> <since ms> <raw>".
local function dresser(claim, fresh)
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
    return claim .. ':' .. whole(before + 1 + position - first) .. ' 0 0 ' .. since .. ' ' .. value
  end
end
