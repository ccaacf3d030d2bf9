package responses_test

import (
	"context"
	"errors"
	"slices"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/redis/go-redis/v9"
	"go.uber.org/goleak"

	"fanfare/internal/keys"
	"fanfare/internal/redisx"
	"fanfare/test/backends"
	"fanfare/test/servers"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// conformance is what every supported kind of Redis must pass.
var conformance = backends.Suite{
	{"forward", forwards},
	{"forward by bytes", endsItsPass},
	{"forward under another's lock", leavesAnothersOutboxAlone},
	{"forward after one who found nothing", keepsNoEmptyOutbox},
	{"forward to a list with an expiry", undoesAnExpiry},
	{"forward, wrong type", wrongTypeForwardsNothing},
	{"forward, cut off", cutOffAnywhere},
	{"forward, overtaken", overtaken},
	{"forward, many at a time", manyForwarders},
	{"dead letters listed", listsLetters},
	{"dead letters found", findsLetters},
	{"dead letters listed while they change", listsWhileTheyChange},
	{"dead letters listed while they are added", listsNoLaterLetters},
	{"dead letters counted", countsLetters},
	{"dead letters removed", removesLetters},
	{"dead letters removed, copies", removesOneOfTwoCopies},
	{"dead letters purged", purgesLetters},
	{"dead letters by length", trimsByLength},
	{"dead letters by age", trimsByAge},
	{"dead letters, trimmers at a time", trimsOnce},
	{"dead letters by others", showsForeignLetters},
	{"dead letters, wrong type", wrongTypeKeepsLetters},
	{"dead letters taken", takesOnce},
	{"dead letters released", releasesOnlyTheExpired},
	{"dead letters removed, as they were meant", removesWhatWasMeant},
	{"dead letters purged while they are added", purgesWhatComesMeanwhile},
	{"forward, the lock lost", trimsWhatItRead},
}

func TestConformance(t *testing.T) { backends.Run(t, conformance) }

// ownNames give each test its own list of responses.
func ownNames() keys.Names {
	names := keys.Default()
	names.Responses = "responses-" + uuid.NewString()
	return names
}

func ownCampaign(t *testing.T, names keys.Names) keys.List {
	t.Helper()
	list, err := names.Campaign(uuid.NewString())
	if err != nil {
		t.Fatal(err)
	}
	return list
}

func push(t *testing.T, rdb redis.UniversalClient, key string, elements ...string) {
	t.Helper()
	if err := rdb.RPush(t.Context(), key, elements).Err(); err != nil {
		t.Fatalf("push: %v", err)
	}
}

func elements(t *testing.T, rdb redis.UniversalClient, key string) []string {
	t.Helper()
	all, err := rdb.LRange(t.Context(), key, 0, -1).Result()
	if err != nil {
		t.Fatalf("read %s: %v", key, err)
	}
	return all
}

func wantList(t *testing.T, what string, got, want []string) {
	t.Helper()
	if !slices.Equal(got, want) {
		t.Errorf("%s:\n got %q\nwant %q", what, got, want)
	}
}

// wantAtLeastOnce allows copies and any order.
func wantAtLeastOnce(t *testing.T, what string, got, want []string) {
	t.Helper()
	wantList(t, what, slices.Compact(slices.Sorted(slices.Values(got))), slices.Sorted(slices.Values(want)))
}

// knife is a client whose n-th step, a script or a pipeline, is cut off: before it reaches the
// server, or on the way back. With meanwhile, the step is not cut off, but something else happens
// first.
type knife struct {
	redis.UniversalClient
	at        int
	reached   bool
	meanwhile func()
	seen      int
}

type cutOffError struct{}

func (cutOffError) Error() string { return "cut off" }

type noScriptError struct{}

func (noScriptError) Error() string { return "NOSCRIPT" }
func (noScriptError) RedisError()   {}

// step reports whether a step is executed, and whether it is then reported as cut off.
func (k *knife) step() (executed, cut bool) {
	if k.seen++; k.seen != k.at {
		return true, false
	}
	if k.meanwhile != nil {
		k.meanwhile()
		return true, false
	}
	return k.reached, true
}

// EvalSha sends every script in full, so that each is one command whatever the server has seen
// before.
func (k *knife) EvalSha(ctx context.Context, _ string, _ []string, _ ...any) *redis.Cmd {
	cmd := redis.NewCmd(ctx)
	cmd.SetErr(noScriptError{})
	return cmd
}

func (k *knife) Eval(ctx context.Context, script string, keys []string, args ...any) *redis.Cmd {
	executed, cut := k.step()
	cmd := redis.NewCmd(ctx)
	if executed {
		cmd = k.UniversalClient.Eval(ctx, script, keys, args...)
	}
	if cut && cmd.Err() == nil {
		cmd.SetErr(cutOffError{})
	}
	return cmd
}

func (k *knife) Pipeline() redis.Pipeliner { return &cutPipe{k.UniversalClient.Pipeline(), k} }

type cutPipe struct {
	redis.Pipeliner
	k *knife
}

func (p *cutPipe) Exec(ctx context.Context) (cmds []redis.Cmder, err error) {
	executed, cut := p.k.step()
	cmds = p.Cmds()
	if executed {
		cmds, err = p.Pipeliner.Exec(ctx)
	}
	if cut {
		for _, cmd := range cmds {
			cmd.SetErr(cutOffError{})
		}
		err = cutOffError{}
	}
	return cmds, err
}

// patience bounds every wait for a condition. A wait comes near it only if something is broken.
const patience = 30 * time.Second

func await(t *testing.T, done func() (bool, error)) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	if err := servers.Await(ctx, done); err != nil {
		t.Fatal(err)
	}
}

func wantWrongType(t *testing.T, err error, key string) {
	t.Helper()
	if wrong, is := errors.AsType[*redisx.TypeError](err); !is || wrong.Key != key {
		t.Errorf("error %v, want one that names %s", err, key)
	}
}

// filler adds a result to an outbox at every script, as busy dispatchers do.
type filler struct {
	redis.UniversalClient
	key string
}

func (f *filler) EvalSha(ctx context.Context, sha string, keys []string, args ...any) *redis.Cmd {
	f.RPush(ctx, f.key, "more")
	return f.UniversalClient.EvalSha(ctx, sha, keys, args...)
}
