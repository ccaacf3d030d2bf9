-- access tells which of some commands the user may not run on a key, in a script.
--
-- Redis 7 and later can be asked. On older ones the script tries each command with arguments that
-- change nothing, or on a key that it deletes at once. No other program has such a key. The list of
-- responses must not grow, so pushing commands are tried only if the key does not exist.
--
-- KEYS: a key of the family.
-- ARGV: the commands.
-- Returns the denied commands.
-- Cut: a key that the check has just made may stay.
local key, denied = KEYS[1], {}
local tried = {PEXPIRE = {'1'}, PEXPIREAT = {'1'}, GETBIT = {'0'}, HDEL = {''}, HEXISTS = {''}, HGET = {''}, HMGET = {''}, HSET = {'f', 'v', 'g'},
  HSETNX = {'f', 'v'}, HINCRBY = {'f', 'none'}, LINDEX = {'0'}, LPUSH = {''}, RPUSH = {''}, SADD = {''}, LRANGE = {'0', '0'}, LSET = {'0', ''},
  LTRIM = {'0', '-1'}, LPOS = {''}, LREM = {'1', ''}, SET = {'', 'XX'}, SETBIT = {'-1', '1'}, SISMEMBER = {''}, SMISMEMBER = {''}, SREM = {''}, SSCAN = {'0'},
  ZADD = {'XX', '1', ''}, ZRANGE = {'0', '0'}, ZRANGEBYSCORE = {'1', '1'}, ZREM = {''}, ZREMRANGEBYRANK = {'1', '0'}, ZSCORE = {''}}
for _, command in ipairs(ARGV) do
  if redis.acl_check_cmd then
    if not redis.acl_check_cmd(command, key, unpack(tried[command] or {})) then
      denied[#denied + 1] = command
    end
  elseif redis.call('EXISTS', key) == 0 or not (command == 'DEL' or command == 'UNLINK' or string.find(command, '^PEXPIRE')) then
    local pushes = command == 'LPUSH' or command == 'RPUSH' or command == 'SADD' or command == 'HSETNX'
    if not pushes or redis.call('EXISTS', key) == 0 then
      local reply = redis.pcall(command, key, unpack(tried[command] or {}))
      local problem = type(reply) == 'table' and reply.err or ''
      if string.find(problem, 'NOPERM', 1, true) or string.find(problem, "can't run this command", 1, true) then
        denied[#denied + 1] = command
      elseif pushes then
        redis.pcall('PEXPIRE', key, '1')
        redis.pcall('DEL', key)
      end
    end
  end
end
return denied
