package operator

import (
	"strings"
	"testing"

	"github.com/redis/go-redis/v9"
	"go.uber.org/goleak"

	"fanfare/internal/breaker"
	"fanfare/internal/campaign"
	"fanfare/internal/fleet"
	"fanfare/internal/keys"
	"fanfare/internal/profiles"
	"fanfare/internal/responses"
	"fanfare/internal/suppression"
	"fanfare/internal/tokens"
	"fanfare/test/servers"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// fixture is an operator with a Redis of its own.
type fixture struct {
	*testing.T
	*Operator
	rdb redis.UniversalClient // reliable, whatever the operator uses
}

func open(t *testing.T, settings ...string) fixture {
	t.Helper()
	return openAt(t, servers.Redis(t, settings...))
}

func openAt(t *testing.T, addr string) fixture {
	t.Helper()
	rdb := redis.NewClient(&redis.Options{Addr: addr})
	t.Cleanup(func() { _ = rdb.Close() })
	return fixture{T: t, Operator: operatorOn(t, rdb), rdb: rdb}
}

func operatorOn(t *testing.T, rdb redis.UniversalClient) *Operator {
	t.Helper()
	names := keys.Default()
	campaigns, err := campaign.New(rdb, names, campaign.Options{})
	ok(t, err)
	tokens, err := tokens.New(rdb, names, nil, tokens.Options{})
	ok(t, err)
	letters, err := responses.NewDeadLetters(rdb, names, responses.DeadLetterOptions{})
	ok(t, err)
	known, err := profiles.New(rdb, names, nil, profiles.Options{})
	ok(t, err)
	breakers, err := breaker.New(rdb, breaker.DefaultOptions())
	ok(t, err)
	return New(Deps{
		Redis: rdb, Names: names, Campaigns: campaigns, Breakers: breakers, Tokens: tokens, Profiles: known, DeadLetters: letters,
		Fleet: fleet.New(rdb, names), Suppressed: suppression.New(rdb, names, nil),
	})
}

func ok(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func equal[V comparable](t *testing.T, what string, got, want V) {
	t.Helper()
	if got != want {
		t.Errorf("%s: got %v, want %v", what, got, want)
	}
}

// mentions fails the test unless the error contains all of the texts.
func mentions(t *testing.T, err error, all ...string) {
	t.Helper()
	for _, want := range all {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("error %v does not say %q", err, want)
		}
	}
}

const plainMessage = `{"notification":{"title":"Hello"}}`

func (f fixture) create(id string, states ...campaign.State) {
	f.Helper()
	ok(f.T, f.Create(f.Context(), campaign.Spec{ID: id, Message: []byte(plainMessage)}))
	for _, state := range states {
		ok(f.T, f.deps.Campaigns.Move(f.Context(), id, state, ""))
	}
}

// load loads a text that must be valid.
func (f fixture) load(id, text string, opts LoadOptions) LoadSummary {
	f.Helper()
	summary, err := f.Load(f.Context(), id, strings.NewReader(text), opts)
	ok(f.T, err)
	return summary
}

// list returns the content of a key.
func (f fixture) list(key string) []string {
	f.Helper()
	elements, err := f.rdb.LRange(f.Context(), key, 0, -1).Result()
	ok(f.T, err)
	return elements
}

func (f fixture) state(id string) campaign.State {
	f.Helper()
	spec, err := f.deps.Campaigns.Get(f.Context(), id)
	ok(f.T, err)
	return spec.State
}
