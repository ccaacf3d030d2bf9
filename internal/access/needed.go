package access

import (
	"slices"
	"strings"

	"fanfare/internal/keys"

	"github.com/google/uuid"
)

// Keys is a family of keys that the Redis user needs, with one key of it to try.
type Keys struct {
	Pattern string // as in ACL SETUSER after a ~; empty: commands without a key
	Reads   bool   // the keys are only read

	key      string
	commands []string // that run on these keys
}

// These are the commands of scripts and clients, by purpose. TestCommandsAreKnown compares them
// with the scripts.
var (
	listCommands = strings.Fields(`DEL EXISTS GET GETBIT HDEL HEXISTS HGET HGETALL HKEYS HMGET HSET LINDEX LLEN LPUSH LRANGE LSET LTRIM PERSIST
		PEXPIRE PEXPIREAT PTTL RPUSH SET SETBIT TYPE UNLINK ZADD ZCARD ZRANGE ZRANGEBYSCORE ZREM ZREMRANGEBYRANK ZREVRANGE ZSCORE`)
	campaignCommands = append(strings.Fields(`HSETNX SADD SISMEMBER SMISMEMBER SREM SSCAN XADD XRANGE XREVRANGE XTRIM ZCOUNT ZREMRANGEBYSCORE`), listCommands...)
	resultCommands   = append(strings.Fields(`HINCRBY LPOS LREM SADD SISMEMBER SREM`), listCommands...)
	tokenCommands    = strings.Fields(`DEL EXISTS GET HDEL HGETALL HSET PTTL SET TYPE`)
	profileCommands  = strings.Fields(`DEL GET PTTL SET TYPE`)
	suppressCommands = []string{"SMISMEMBER"}
	projectCommands  = strings.Fields(`DEL EXISTS HDEL HEXISTS HGET HGETALL HMGET HSET PERSIST PEXPIRE TYPE XADD XRANGE XREVRANGE XTRIM`)
)

// Commands returns the commands for these keys, in capital letters.
func (a Keys) Commands() []string { return slices.Clone(a.commands) }

// withCommands sets the commands of keys.
func withCommands(commands []string, all []Keys) []Keys {
	for i := range all {
		all[i].commands = commands
	}
	return all
}

// Results returns the keys that a responder needs.
func Results(n keys.Names) []Keys {
	return withCommands(resultCommands, keysOfList(n.ResponsesList()))
}

// Campaigns returns the keys that dispatchers and loaders of campaigns need.
func Campaigns(n keys.Names) []Keys {
	list := keys.NewList(n.CampaignPrefix + unusedID())
	return withCommands(campaignCommands, keysWithPrefix(n.CampaignPrefix, list.Plain(), list.Key(keys.SuffixCounts)))
}

// Tokens returns the keys for looking up tokens and forgetting dead ones.
func Tokens(n keys.Names) []Keys {
	user := unusedID()
	return withCommands(tokenCommands, keysWithPrefix(n.UserPrefix, n.Token(user), n.NoToken(user)))
}

// Profiles returns the keys for looking up profiles. With kept, it includes those for caching
// profiles from SQL.
func Profiles(n keys.Names, kept bool) []Keys {
	user := unusedID()
	all := withCommands(profileCommands, keysWithPrefix(n.ProfilePrefix, n.Profile(user), n.NoProfile(user)))
	if !kept {
		all = all[:1]
		all[0].Reads, all[0].commands = true, []string{"GET", "EXISTS"}
	}
	return all
}

// Suppressed returns the key for looking up suppressed users, unless it is among those of
// Campaigns.
func Suppressed(n keys.Names) []Keys {
	if strings.HasPrefix(n.Suppressed, "{"+n.CampaignPrefix) {
		return nil
	}
	return withCommands(suppressCommands, []Keys{{Pattern: keys.GlobLiteral(n.Suppressed), key: n.Suppressed}})
}

// Project returns the keys for the pace of a project.
func Project(k keys.ProjectKeys) []Keys {
	return withCommands(projectCommands, keysOfList(k.List())[1:])
}

// unusedID returns an id that no campaign and no user has.
func unusedID() string { return "fanfare-check-" + uuid.NewString() }

// keysWithPrefix returns the keys that begin with a prefix, and our own keys beside them. Those
// stand in braces, unless the prefix has its own tag.
func keysWithPrefix(prefix, plain, own string) []Keys {
	all := []Keys{{Pattern: keys.GlobLiteral(prefix) + "*", key: plain}}
	if !strings.HasPrefix(own, prefix) {
		all = append(all, Keys{Pattern: "{" + keys.GlobLiteral(prefix) + "*", key: own})
	}
	return all
}

// keysOfList returns one list and our own keys beside it.
func keysOfList(l keys.List) []Keys {
	return []Keys{{Pattern: keys.GlobLiteral(l.Plain()), key: l.Plain()}, {Pattern: keys.GlobLiteral(l.Key("")) + "*", key: l.Key("check")}}
}
