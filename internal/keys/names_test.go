package keys_test

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/redis/go-redis/v9"
	"pgregory.net/rapid"

	"fanfare/internal/keys"
	"fanfare/test/servers"
)

func TestCampaignNames(t *testing.T) {
	for _, c := range []struct{ id, spec string }{
		{"42", "{campaign:42}:spec"},
		{"a:b c/ü", "{campaign:a:b c/ü}:spec"},
		{"{x", "{campaign:{x}:spec"},
		{"{x}", "campaign:{x}:spec"},
		{"{tenant}:42", "campaign:{tenant}:42:spec"},
		{"a}b{x}", "campaign:a}b{x}:spec"},
		{"42:outbox", "{campaign:42:outbox}:spec"},
		{"responses", "{campaign:responses}:spec"},
		{strings.Repeat("x", keys.MaxID), "{campaign:" + strings.Repeat("x", keys.MaxID) + "}:spec"},
	} {
		list, err := keys.Default().Campaign(c.id)
		if err != nil {
			t.Errorf("id %q: %v", c.id, err)
			continue
		}
		wantEqual(t, "plain key", list.Plain(), "campaign:"+c.id)
		wantEqual(t, "spec", list.Key(keys.SuffixSpec), c.spec)
		id, ok := keys.Default().ParseCampaign(list.Plain())
		wantEqual(t, "parsed", ok, true)
		wantEqual(t, "parsed id", id, c.id)
	}
}

func TestCampaignIDsRefused(t *testing.T) {
	for _, id := range []string{
		"", "a}b", "{}", "{}{x}", "42:responses", "{x}:responses", "a\x00b", "\xff", strings.Repeat("x", keys.MaxID+1),
		"{x}:outbox", "{x}:42:spec", "{x}:lease:0190", "{x}:load:0190", "{x}:registry",
	} {
		_, err := keys.Default().Campaign(id)
		bad, ok := errors.AsType[*keys.IDError](err)
		if !ok || bad.ID != id {
			t.Errorf("id %q: error %v, want an IDError", id, err)
		}
		if parsed, ok := keys.Default().ParseCampaign("campaign:" + id); ok {
			t.Errorf("key campaign:%s was taken for campaign %q", id, parsed)
		}
	}
}

// No key that Fanfare makes is taken for a campaign's list when a scan finds it.
func TestOwnKeysAreNoCampaigns(t *testing.T) {
	tagged := keys.Default()
	tagged.CampaignPrefix = "{push}campaign:"
	for _, n := range []keys.Names{keys.Default(), tagged} {
		keys := []string{n.Registry(), n.Dispatchers(), n.Responders(), n.Responses, n.Token("7"), n.Profile("7"), n.NoToken("7"), n.NoProfile("7")}
		for _, id := range []string{"42", "{x}", "{x}:y"} {
			list, err := n.Campaign(id)
			if err != nil {
				t.Fatal(err)
			}
			keys = append(keys, n.CampaignResponses(id))
			for _, suffix := range []string{"spec", "counts", "back", "retry", "leases", "outbox", "dead", "pace", "breaker", "addresses", "lease:c", "load:l", "addresses:14:7q"} {
				keys = append(keys, list.Key(suffix))
			}
		}
		for _, key := range keys {
			if id, ok := n.ParseCampaign(key); ok {
				t.Errorf("key %q was taken for campaign %q", key, id)
			}
		}
	}
}

func TestNamesOfTheContract(t *testing.T) {
	n := keys.Default()
	for got, want := range map[string]string{
		n.Token("7"):                  "user:7:token",
		n.Devices("7"):                "user:7:devices",
		n.NoToken("7"):                "{user:7:token}:none",
		n.Profile("7"):                "profile:7",
		n.NoProfile("7"):              "{profile:7}:none",
		n.CampaignResponses("42"):     "campaign:42:responses",
		n.Registry():                  "{campaign:}:registry",
		n.Dispatchers():               "{campaign:}:dispatchers",
		n.Responders():                "{notification:responses}:responders",
		n.ResponsesList().Plain():     "notification:responses",
		n.ResponsesList().Key("dead"): "{notification:responses}:dead",
	} {
		wantEqual(t, "key", got, want)
	}
}

func TestNamesRefused(t *testing.T) {
	if err := keys.Default().Validate(); err != nil {
		t.Errorf("default names: %v", err)
	}
	for what, spoil := range map[string]func(*keys.Names){
		"empty prefix":          func(n *keys.Names) { n.CampaignPrefix = "" },
		"no responses":          func(n *keys.Names) { n.Responses = "" },
		"brace without a tag":   func(n *keys.Names) { n.CampaignPrefix = "a}b:" },
		"campaigns like users":  func(n *keys.Names) { n.CampaignPrefix = n.UserPrefix },
		"users like profiles":   func(n *keys.Names) { n.ProfilePrefix = n.UserPrefix },
		"devices like tokens":   func(n *keys.Names) { n.DevicesSuffix = n.UserSuffix },
		"results as a campaign": func(n *keys.Names) { n.Responses = n.CampaignPrefix + "x" },
		"no suppressed":         func(n *keys.Names) { n.Suppressed = "" },
		"suppressed as results": func(n *keys.Names) { n.Suppressed = n.Responses },
		"suppressed campaign":   func(n *keys.Names) { n.Suppressed = n.CampaignPrefix + "x" },
		"suppressed profile":    func(n *keys.Names) { n.Suppressed = n.ProfilePrefix + "x" },
		"suppressed token":      func(n *keys.Names) { n.Suppressed = n.UserPrefix + "x" + n.UserSuffix },
		"suppressed devices":    func(n *keys.Names) { n.Suppressed = n.UserPrefix + "x" + n.DevicesSuffix },
	} {
		n := keys.Default()
		spoil(&n)
		if n.Validate() == nil {
			t.Errorf("%s: no error", what)
		}
	}
}

func wantEqual[T comparable](t *testing.T, what string, got, want T) {
	t.Helper()
	if got != want {
		t.Errorf("%s: got %v, want %v", what, got, want)
	}
}

func TestProjectKeys(t *testing.T) {
	n := keys.Default()
	wantEqual(t, "pace", n.Project("my-project").Key(keys.SuffixPace), "{fanfare:my-project}:pace")
	wantEqual(t, "halt", n.Project("example.com:app").Key(keys.SuffixHalt), "{fanfare:example.com:app}:halt")
	for _, suffix := range []string{keys.SuffixPace, keys.SuffixHalt, keys.SuffixSignal, keys.SuffixDeletions} {
		if id, ok := n.ParseCampaign(n.Project("campaign:1").Key(suffix)); ok {
			t.Errorf("a project's %s was taken for campaign %q", suffix, id)
		}
	}
}

// A tagged campaign cannot have the name of the key that paces another campaign.
func TestPaceOfACampaignIsReserved(t *testing.T) {
	if _, err := keys.Default().Campaign("{x}:pace"); err == nil {
		t.Error("{x}:pace names a campaign, and is the key of campaign {x}")
	}
}

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
		wantEqual(t, "together for "+c.user, n.TokenKeysShareSlot(c.user), c.together)
	}
	for _, key := range []string{
		n.Token("7"), n.NoToken("7"), n.Token("7") + ":removed", "{" + n.Profile("7") + "}:removed", "{user:7:token}x:removed", "removed", "",
	} {
		if user, ok := n.ParseRemovedToken(key); ok {
			t.Errorf("key %q was taken for the removed token of %q", key, user)
		}
	}
}

// oddNames are names that could break a pattern or a parser.
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
		keys, _, err := rdb.Scan(ctx, 0, n.RemovedPattern(), 100).Result()
		if err != nil || !slices.Equal(keys, []string{key}) {
			t.Fatalf("pattern %q found %q, %v, want %q", n.RemovedPattern(), keys, err, key)
		}
		if err := rdb.Del(ctx, key).Err(); err != nil {
			t.Fatal(err)
		}
	})
}

// The keys of a campaign share its Cluster slot: the id is their hash tag.
func ExampleNames_Campaign() {
	list, err := keys.Default().Campaign("42")
	fmt.Println(list.Plain(), list.Key(keys.SuffixSpec), list.Lease("c1"), err)
	_, err = keys.Default().Campaign("42:responses")
	fmt.Println(err)
	// Output:
	// campaign:42 {campaign:42}:spec {campaign:42}:lease:c1 <nil>
	// campaign id "42:responses" is the name of a list of responses
}
