package queue

import (
	"errors"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/redis/go-redis/v9"

	"fanfare/test/servers"
)

func everyAccess(n Names) []Access {
	return slices.Concat(n.ResultAccess(), n.CampaignAccess(), n.TokenAccess(), n.ProfileAccess(true), n.Project("p").Access())
}

// Whoever is let to all that is needed but one pattern is told that one, and nothing is left behind.
func TestCheckAccessNamesWhatIsDenied(t *testing.T) {
	addr := servers.Redis(t)
	admin := redis.NewClient(&redis.Options{Addr: addr})
	defer admin.Close()
	needed := everyAccess(DefaultNames())
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
		err := CheckAccess(t.Context(), poor, needed...)
		denied, is := errors.AsType[*AccessError](err)
		switch {
		case missing == "" && err != nil:
			t.Errorf("with all rights: %v", err)
		case missing != "" && (!is || !Denied(err) || !slices.Equal(denied.Patterns, []string{missing}) || !strings.Contains(err.Error(), "ACL SETUSER poor ~"+missing)):
			t.Errorf("without %s: %v", missing, err)
		}
		_ = poor.Close()
	}
	if keys := admin.Keys(t.Context(), "*").Val(); len(keys) > 0 {
		t.Errorf("the check left %q", keys)
	}
}

// A profile that nobody keeps in Redis need not be written.
func TestCheckAccessOfWhatIsOnlyRead(t *testing.T) {
	addr := servers.Redis(t)
	admin := redis.NewClient(&redis.Options{Addr: addr})
	defer admin.Close()
	if err := admin.Do(t.Context(), "ACL", "SETUSER", "reader", "on", ">secret", "+@all", "%R~profile:*").Err(); err != nil {
		t.Fatal(err)
	}
	reader := redis.NewClient(&redis.Options{Addr: addr, Username: "reader", Password: "secret"})
	defer reader.Close()
	if err := CheckAccess(t.Context(), reader, DefaultNames().ProfileAccess(false)...); err != nil {
		t.Error(err)
	}
	if err := CheckAccess(t.Context(), reader, DefaultNames().ProfileAccess(true)...); !Denied(err) {
		t.Errorf("to be written: %v, want a denial", err)
	}
}

func TestCheckAccessOnACluster(t *testing.T) {
	cluster := redis.NewClusterClient(&redis.ClusterOptions{Addrs: servers.RedisCluster(t)})
	defer cluster.Close()
	if err := CheckAccess(t.Context(), cluster, everyAccess(DefaultNames())...); err != nil {
		t.Error(err)
	}
	// A prefix that brings its own tag has no second pattern.
	tagged := Names{CampaignPrefix: "{c}:", UserPrefix: "{u}:", UserSuffix: ":t", ProfilePrefix: "{p}:", Responses: "{r}:list"}
	if got := len(everyAccess(tagged)); got != 6 {
		t.Errorf("%d patterns of tagged names, want 6", got)
	}
	if err := CheckAccess(t.Context(), cluster, everyAccess(tagged)...); err != nil {
		t.Error(err)
	}
}

// A command that is missing is named with its keys and the rule that grants it, whatever the keys, and nothing is left behind.
func TestCheckAccessNamesTheCommand(t *testing.T) {
	addr := servers.Redis(t)
	admin := redis.NewClient(&redis.Options{Addr: addr})
	defer admin.Close()
	needed := everyAccess(DefaultNames())
	for _, missing := range []string{"rpush", "ltrim", "zadd", "zrem", "del", "lset", "hset", "persist", "pexpire", "lpush", "set", "setbit", "hdel", "sadd", "eval"} {
		if err := admin.Do(t.Context(), "ACL", "SETUSER", "poor", "reset", "on", ">secret", "+@all", "-"+missing, "~*").Err(); err != nil {
			t.Fatal(err)
		}
		poor := redis.NewClient(&redis.Options{Addr: addr, Username: "poor", Password: "secret"})
		err := CheckAccess(t.Context(), poor, needed...)
		denied, is := errors.AsType[*AccessError](err)
		if !is || !Denied(err) || !slices.Equal(append(denied.Commands, denied.Keyless...), []string{missing}) || !strings.Contains(err.Error(), "ACL SETUSER poor +"+missing) {
			t.Errorf("without %s: %v", missing, err)
		}
		_ = poor.Close()
	}
	if keys := admin.Keys(t.Context(), "*").Val(); len(keys) > 0 {
		t.Errorf("the check left %q", keys)
	}
}

// Each command that a script calls is among those that are checked.
func TestCommandsAreKnown(t *testing.T) {
	known := append(slices.Concat(campaignCommands, resultCommands, tokenCommands, projectCommands), "TIME", "PUBLISH") // these have no key
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
