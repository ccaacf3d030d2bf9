// Package access asks Redis whether its user has every key and command that Fanfare needs, before anything is sent.
package access

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"fanfare/internal/keys"
	"fanfare/internal/redisx"

	"github.com/google/uuid"
	"github.com/redis/go-redis/v9"
)

// Keys is a family of keys that a Redis user must be let to, and one key of it.
type Keys struct {
	Pattern string // as ACL SETUSER takes it behind a ~; empty: commands without a key
	Reads   bool   // they are not written

	key      string
	commands []string // what is done to such keys
}

// The commands that scripts and clients use, by what they are used for. TestCommandsAreKnown holds them against the scripts.
var (
	listCommands = strings.Fields(`DEL EXISTS GET GETBIT HDEL HEXISTS HGET HGETALL HKEYS HMGET HSET LINDEX LLEN LPUSH LRANGE LSET LTRIM PERSIST
		PEXPIRE PEXPIREAT PTTL RPUSH SET SETBIT TYPE UNLINK ZADD ZCARD ZRANGE ZRANGEBYSCORE ZREM ZREMRANGEBYRANK ZREVRANGE ZSCORE`)
	campaignCommands = append(strings.Fields(`HSETNX SADD SISMEMBER SREM SSCAN ZREMRANGEBYSCORE`), listCommands...)
	resultCommands   = append(strings.Fields(`HINCRBY LPOS LREM SADD SISMEMBER SREM`), listCommands...)
	tokenCommands    = strings.Fields(`DEL GET PTTL SET TYPE`)
	projectCommands  = strings.Fields(`DEL EXISTS HDEL HEXISTS HGET HGETALL HMGET HSET PERSIST PEXPIRE TYPE`)
)

// Commands are what is done to such keys, in capital letters.
func (a Keys) Commands() []string { return slices.Clone(a.commands) }

// with says what is done to keys.
func withCommands(commands []string, all []Keys) []Keys {
	for i := range all {
		all[i].commands = commands
	}
	return all
}

// Results is what a responder needs.
func Results(n keys.Names) []Keys {
	return withCommands(resultCommands, keysOfList(n.ResponsesList()))
}

// Campaigns is what whoever serves or loads campaigns needs.
func Campaigns(n keys.Names) []Keys {
	list := keys.NewList(n.CampaignPrefix + unusedID())
	return withCommands(campaignCommands, keysWithPrefix(n.CampaignPrefix, list.Plain(), list.Key(keys.SuffixCounts)))
}

// Tokens is what looking up tokens needs, and forgetting the dead ones.
func Tokens(n keys.Names) []Keys {
	user := unusedID()
	return withCommands(tokenCommands, keysWithPrefix(n.UserPrefix, n.Token(user), n.NoToken(user)))
}

// Profiles is what looking up profiles needs, and keeping those that came from SQL.
func Profiles(n keys.Names, kept bool) []Keys {
	user := unusedID()
	all := withCommands(tokenCommands, keysWithPrefix(n.ProfilePrefix, n.Profile(user), n.NoProfile(user)))
	if !kept {
		all = all[:1]
		all[0].Reads, all[0].commands = true, []string{"GET", "EXISTS"}
	}
	return all
}

// Project is what keeping a project's pace needs.
func Project(k keys.ProjectKeys) []Keys {
	return withCommands(projectCommands, keysOfList(k.List())[1:])
}

// strangerID is the id of no campaign and no user.
func unusedID() string { return "fanfare-check-" + uuid.NewString() }

// family are the keys that begin with a prefix, and ours about them, which stand in braces unless the prefix brings its own.
func keysWithPrefix(prefix, plain, own string) []Keys {
	all := []Keys{{Pattern: keys.GlobLiteral(prefix) + "*", key: plain}}
	if !strings.HasPrefix(own, prefix) {
		all = append(all, Keys{Pattern: "{" + keys.GlobLiteral(prefix) + "*", key: own})
	}
	return all
}

// exactly are one list and ours beside it.
func keysOfList(l keys.List) []Keys {
	return []Keys{{Pattern: keys.GlobLiteral(l.Plain()), key: l.Plain()}, {Pattern: keys.GlobLiteral(l.Key("")) + "*", key: l.Key("check")}}
}

// Error says which keys and commands Redis keeps from us, and what its administrator has to type.
type Error struct {
	Patterns []string // keys that are denied altogether
	Commands []string // commands that are denied, on the keys of On
	On       []string
	Keyless  []string // commands without a key that are denied
	Channel  string   // that is denied
	User     string
	Err      error
}

func (e *Error) Error() string {
	var missing, rules []string
	if len(e.Patterns) > 0 {
		missing = append(missing, "no access to the keys "+strings.Join(e.Patterns, " "))
		rules = append(rules, "~"+strings.Join(e.Patterns, " ~"))
	}
	if len(e.Commands) > 0 {
		missing = append(missing, "no permission for "+strings.Join(e.Commands, " ")+" on the keys "+strings.Join(e.On, " "))
		rules = append(rules, "+"+strings.Join(e.Commands, " +"))
	}
	if len(e.Keyless) > 0 {
		missing = append(missing, "no permission for "+strings.Join(e.Keyless, " "))
		rules = append(rules, "+"+strings.Join(e.Keyless, " +"))
	}
	if e.Channel != "" {
		missing = append(missing, "no access to the channel "+e.Channel)
		rules = append(rules, "&"+e.Channel)
	}
	text := strings.Join(missing, "; ")
	if e.Err != nil {
		text += ": " + e.Err.Error()
	}
	return fmt.Sprintf("%s; grant it in Redis with: ACL SETUSER %s %s", text, e.User, strings.Join(rules, " "))
}

func (e *Error) Unwrap() error { return e.Err }

// accessScript returns which commands, of ARGV, the user may not do to a key, in a script. From Redis 7 on the server tells. An older one
// is tried, with calls that change nothing, or a key that goes at once: no key of a stranger's is there. Results hold their list, which
// must not grow, so what would push is tried on no list that exists.
const accessScript = `
local key, denied = KEYS[1], {}
local tried = {PEXPIRE = {'1'}, PEXPIREAT = {'1'}, GETBIT = {'0'}, HDEL = {''}, HEXISTS = {''}, HGET = {''}, HMGET = {''}, HSET = {'f', 'v', 'g'},
  HSETNX = {'f', 'v'}, HINCRBY = {'f', 'none'}, LINDEX = {'0'}, LPUSH = {''}, RPUSH = {''}, SADD = {''}, LRANGE = {'0', '0'}, LSET = {'0', ''},
  LTRIM = {'0', '-1'}, LPOS = {''}, LREM = {'1', ''}, SET = {'', 'XX'}, SETBIT = {'-1', '1'}, SISMEMBER = {''}, SREM = {''}, SSCAN = {'0'},
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
return denied`

// Check asks Redis for all that is needed, as our scripts would. An *Error lists what it denies.
func Check(ctx context.Context, rdb redis.UniversalClient, needed ...Keys) error {
	var denied Error
	for _, a := range needed {
		commands, err := a.deniedCommands(ctx, rdb)
		switch {
		case err == nil && len(commands) > 0:
			denied.deny(a.Pattern, commands)
		case err == nil:
		case !redisx.IsDenied(err):
			return fmt.Errorf("ask Redis for access to %s: %w", a.Pattern, err)
		case commandOf(err) != "":
			denied.deny("", []string{commandOf(err)})
			denied.Err = err
		case !slices.Contains(denied.Patterns, a.Pattern):
			denied.Patterns, denied.Err = append(denied.Patterns, a.Pattern), err
		}
	}
	if len(denied.Patterns)+len(denied.Commands)+len(denied.Keyless) == 0 {
		return nil
	}
	if denied.Err == nil {
		denied.Err = errDeniedCommand
	}
	denied.User = currentUser(ctx, rdb)
	return &denied
}

// errDeniedCommand stands for the reply that a script would get.
const errDeniedCommand = deniedError("The user executing the script can't run these commands")

type deniedError string

func (e deniedError) Error() string { return string(e) }
func (deniedError) RedisError()     {}

// check returns the commands that may not be done to the keys; a denial of the keys, or of scripts, is an error.
func (a Keys) deniedCommands(ctx context.Context, rdb redis.UniversalClient) ([]string, error) {
	if a.Pattern == "" {
		return a.deniedServerCommands(ctx, rdb)
	}
	if a.Reads {
		return nil, rdb.Exists(ctx, a.key).Err()
	}
	args := make([]any, len(a.commands))
	for i, command := range a.commands {
		args[i] = command
	}
	return rdb.Eval(ctx, accessScript, []string{a.key}, args...).StringSlice()
}

func (e *Error) deny(pattern string, commands []string) {
	into := &e.Commands
	if pattern == "" {
		into = &e.Keyless
	}
	for _, command := range commands {
		if command = strings.ToLower(command); !slices.Contains(*into, command) {
			*into = append(*into, command)
		}
	}
	if pattern != "" && !slices.Contains(e.On, pattern) {
		e.On = append(e.On, pattern)
	}
}

// deniedCommand is the command that an error says may not be run; "" where it is about keys or credentials.
func commandOf(err error) string {
	_, after, found := strings.Cut(err.Error(), "permissions to run the '")
	if !found {
		return ""
	}
	command, _, _ := strings.Cut(after, "'")
	return command
}
