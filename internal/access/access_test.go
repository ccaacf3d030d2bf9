package access

import (
	"errors"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/redis/go-redis/v9"

	"fanfare/internal/keys"
	"fanfare/internal/redisx"
	"fanfare/test/servers"
)

func everyKey(n keys.Names) []Keys {
	return slices.Concat(Results(n), Campaigns(n), Tokens(n), Profiles(n, true), Suppressed(n), Project(n.Project("p")))
}

// With all patterns but one, the error names that one, and the check leaves no keys.
func TestCheckNamesWhatIsDenied(t *testing.T) {
	addr := servers.Redis(t)
	admin := redis.NewClient(&redis.Options{Addr: addr})
	defer admin.Close()
	needed := everyKey(keys.Default())
	want := []string{
		"notification:responses", "{notification:responses}:*", "campaign:*", "{campaign:*", "user:*", "{user:*", "profile:*", "{profile:*",
		"{fanfare:p}:*",
	}
	var patterns []string
	for _, a := range needed {
		patterns = append(patterns, a.Pattern)
	}
	if !slices.Equal(patterns, want) {
		t.Fatalf("patterns %q, want %q", patterns, want)
	}
	for _, missing := range append(want, "") {
		rules := []any{"ACL", "SETUSER", "poor", "reset", "on", ">secret", "+@all"}
		for _, pattern := range patterns {
			if pattern != missing {
				rules = append(rules, "~"+pattern)
			}
		}
		if err := admin.Do(t.Context(), rules...).Err(); err != nil {
			t.Fatal(err)
		}
		poor := redis.NewClient(&redis.Options{Addr: addr, Username: "poor", Password: "secret"})
		err := Check(t.Context(), poor, needed...)
		denied, is := errors.AsType[*Error](err)
		switch {
		case missing == "" && err != nil:
			t.Errorf("with all rights: %v", err)
		case missing != "" && (!is || !redisx.IsDenied(err) || !slices.Equal(denied.Patterns, []string{missing}) || !strings.Contains(err.Error(), "ACL SETUSER poor ~"+missing)):
			t.Errorf("without %s: %v", missing, err)
		}
		_ = poor.Close()
	}
	if keys := admin.Keys(t.Context(), "*").Val(); len(keys) > 0 {
		t.Errorf("the check left %q", keys)
	}
}

// Profiles that are not cached in Redis need no write permission.
func TestCheckOfWhatIsOnlyRead(t *testing.T) {
	addr := servers.Redis(t)
	admin := redis.NewClient(&redis.Options{Addr: addr})
	defer admin.Close()
	if err := admin.Do(t.Context(), "ACL", "SETUSER", "reader", "on", ">secret", "+@all", "%R~profile:*").Err(); err != nil {
		t.Fatal(err)
	}
	reader := redis.NewClient(&redis.Options{Addr: addr, Username: "reader", Password: "secret"})
	defer reader.Close()
	if err := Check(t.Context(), reader, Profiles(keys.Default(), false)...); err != nil {
		t.Error(err)
	}
	if err := Check(t.Context(), reader, Profiles(keys.Default(), true)...); !redisx.IsDenied(err) {
		t.Errorf("to be written: %v, want a denial", err)
	}
}

func TestCheckOnACluster(t *testing.T) {
	cluster := redis.NewClusterClient(&redis.ClusterOptions{Addrs: servers.RedisCluster(t)})
	defer cluster.Close()
	if err := Check(t.Context(), cluster, everyKey(keys.Default())...); err != nil {
		t.Error(err)
	}
	// A prefix with its own tag has no second pattern.
	tagged := keys.Names{CampaignPrefix: "{c}:", UserPrefix: "{u}:", UserSuffix: ":t", ProfilePrefix: "{p}:", Responses: "{r}:list", Suppressed: "{s}:set"}
	if got := len(everyKey(tagged)); got != 7 {
		t.Errorf("%d patterns of tagged names, want 7", got)
	}
	if err := Check(t.Context(), cluster, everyKey(tagged)...); err != nil {
		t.Error(err)
	}
}

// The error names a missing command, its keys and the rule that grants it. The check leaves no
// keys.
func TestCheckNamesTheCommand(t *testing.T) {
	addr := servers.Redis(t)
	admin := redis.NewClient(&redis.Options{Addr: addr})
	defer admin.Close()
	needed := append(everyKey(keys.Default()), Transactions())
	for _, missing := range []string{"multi", "exec", "rpush", "ltrim", "zadd", "zrem", "del", "lset", "hset", "persist", "pexpire", "lpush", "set", "setbit", "hdel", "sadd", "smismember", "eval"} {
		if err := admin.Do(t.Context(), "ACL", "SETUSER", "poor", "reset", "on", ">secret", "+@all", "-"+missing, "~*").Err(); err != nil {
			t.Fatal(err)
		}
		poor := redis.NewClient(&redis.Options{Addr: addr, Username: "poor", Password: "secret"})
		err := Check(t.Context(), poor, needed...)
		denied, is := errors.AsType[*Error](err)
		if !is || !redisx.IsDenied(err) || !slices.Equal(append(denied.Commands, denied.Keyless...), []string{missing}) || !strings.Contains(err.Error(), "ACL SETUSER poor +"+missing) {
			t.Errorf("without %s: %v", missing, err)
		}
		_ = poor.Close()
	}
	if keys := admin.Keys(t.Context(), "*").Val(); len(keys) > 0 {
		t.Errorf("the check left %q", keys)
	}
}

// The checks cover each command that a script calls.
func TestCommandsAreKnown(t *testing.T) {
	known := append(slices.Concat(campaignCommands, resultCommands, tokenCommands, projectCommands), "TIME", "PUBLISH") // without keys
	files, err := filepath.Glob("../*/lua/*.lua")
	if err != nil || len(files) == 0 {
		t.Fatalf("no scripts: %v", err)
	}
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		for _, call := range regexp.MustCompile(`(?:call|call_all|pcall)\('([A-Z]+)'`).FindAllStringSubmatch(string(text), -1) {
			if !slices.Contains(known, call[1]) {
				t.Errorf("%s calls %s, which is not checked", file, call[1])
			}
		}
	}
}
