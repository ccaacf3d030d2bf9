-- Notes that a token is dead, and keeps a copy of it. token is how the copy's JSON begins; replace tells which copy this
-- one may replace: 'any', 'other' (one of another token: that of the same may know how long the token had to live) or
-- 'none'. Returns 1 when it wrote the copy, else 0. It passes when Redis is full.
local mark, copy = KEYS[1], KEYS[2]
local dead, dead_ms, head, keep_ms = ARGV[1], tonumber(ARGV[2]), ARGV[3], tonumber(ARGV[4])
local ttl, token, replace = tonumber(ARGV[5]), ARGV[6], ARGV[7]

local bad = wrong_type(mark, 'string', copy, 'string')
if bad then
  return bad
end
local kept = redis.call('GET', copy)
redis.call('DEL', mark)
local same = kept and string.sub(kept, 1, #token) == token
if keep_ms <= 0 or kept and (replace == 'none' or replace == 'other' and same) then
  set_for(mark, dead, dead_ms)
  return 0
end
set_for(copy, copy_of(head, ttl), keep_ms)
set_for(mark, dead, dead_ms)
return 1
