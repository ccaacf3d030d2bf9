package keys_test

import (
	"slices"
	"testing"

	"github.com/redis/go-redis/v9"
	"pgregory.net/rapid"

	"fanfare/internal/keys"
	"fanfare/test/servers"
)

func TestRemovedTokenNames(t *testing.T) {
	n := keys.Default()
	for _, c := range []struct {
		user, key string
		together  bool
	}{
		{"7", "{user:7:token}:removed", true},
		{"{x}", "user:{x}:token:removed", true},
		{"{}", "{user:{}:token}:removed", false},
		{"a}b", "{user:a}b:token}:removed", false},
		{"", "{user::token}:removed", true},
	} {
		wantEqual(t, "key of "+c.user, n.RemovedToken(c.user), c.key)
		wantEqual(t, "together for "+c.user, n.TokenKeysTogether(c.user), c.together)
	}
	for _, key := range []string{
		n.Token("7"), n.NoToken("7"), n.Token("7") + ":removed", "{" + n.Profile("7") + "}:removed", "{user:7:token}x:removed", "removed", "",
	} {
		if user, ok := n.ParseRemovedToken(key); ok {
			t.Errorf("key %q was taken for the removed token of %q", key, user)
		}
	}
}

// oddNames are names that a pattern or a parser could trip over.
var oddNames = []keys.Names{
	keys.Default(),
	{CampaignPrefix: "c:", UserPrefix: "[app]*?:", UserSuffix: `\t`, ProfilePrefix: "p:", Responses: "r"},
	{CampaignPrefix: "c:", UserPrefix: "{push}user:", ProfilePrefix: "p:", Responses: "r"},
}

func TestEveryRemovedTokenIsFoundAndRead(t *testing.T) {
	rdb := redis.NewClient(&redis.Options{Addr: servers.Redis(t)})
	t.Cleanup(func() { _ = rdb.Close() })
	rapid.Check(t, func(t *rapid.T) {
		n := rapid.SampledFrom(oddNames).Draw(t, "names")
		user := rapid.StringOf(rapid.RuneFrom([]rune(`a7:{}*?[]\üremoved`))).Draw(t, "user")
		key := n.RemovedToken(user)
		if got, ok := n.ParseRemovedToken(key); !ok || got != user {
			t.Fatalf("key %q was read as %q, %v, want %q", key, got, ok, user)
		}
		ctx := t.Context()
		if err := rdb.Set(ctx, key, "copy", 0).Err(); err != nil {
			t.Fatal(err)
		}
		keys, _, err := rdb.Scan(ctx, 0, n.RemovedTokens(), 100).Result()
		if err != nil || !slices.Equal(keys, []string{key}) {
			t.Fatalf("pattern %q found %q, %v, want %q", n.RemovedTokens(), keys, err, key)
		}
		if err := rdb.Del(ctx, key).Err(); err != nil {
			t.Fatal(err)
		}
	})
}
