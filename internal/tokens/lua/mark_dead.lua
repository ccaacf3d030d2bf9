-- Notes for some time that a token of this user is proven dead. Returns 'OK'.
-- The DEL comes first because a script may write when Redis is full only once it has written something harmless.
local mark = KEYS[1]
local dead, milliseconds = ARGV[1], ARGV[2]

redis.call('DEL', mark)
return redis.call('SET', mark, dead, 'PX', milliseconds).ok
