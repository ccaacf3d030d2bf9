-- Marks a token as dead and keeps a copy of it.
-- KEYS: the mark, the copy.
-- ARGV: the dead token; the time to live of the mark (ms); the head of the copy;
-- the time to live of the copy (ms); that of the token (ms); the prefix of the copy; replace.
-- replace says which copy this one may replace: 'any', 'none', or 'other' for one of another token.
-- A copy of the same token may know the token's time to live.
-- Returns 1 when it wrote the copy, else 0. Works when Redis is full.
local mark, copy = KEYS[1], KEYS[2]
local dead, dead_ms, head, keep_ms = ARGV[1], tonumber(ARGV[2]), ARGV[3], tonumber(ARGV[4])
local ttl, token, replace = tonumber(ARGV[5]), ARGV[6], ARGV[7]

local bad = wrong_type(mark, 'string', copy, 'string')
if bad then
  return bad
end
local kept, others = redis.call('GET', copy), dead_beside(mark, dead)
redis.call('DEL', mark)
local same = kept and string.sub(kept, 1, #token) == token
if keep_ms <= 0 or kept and (replace == 'none' or replace == 'other' and same) then
  mark_dead(mark, dead, others, dead_ms)
  return 0
end
set_for(copy, copy_of(head, ttl), keep_ms)
mark_dead(mark, dead, others, dead_ms)
return 1
