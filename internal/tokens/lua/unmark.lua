-- Removes an address from the mark of dead ones.
-- KEYS: the mark. ARGV: the address.
-- Returns 1.
local mark = KEYS[1]

local bad = wrong_type(mark, 'string')
if bad then
  return bad
end
unmark_dead(mark, ARGV[1])
return 1
