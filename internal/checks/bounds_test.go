package checks

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"testing"
	"time"
)

// A caution is no failure; a clock that is a little off is none either.
func TestCheckOfWhatIsDangerousOnly(t *testing.T) {
	all := Run(t.Context(), Probe{Name: "sql", Run: func(context.Context) (string, error) { return "x", &Caution{"in clear", "add TLS"} }})
	wantFinding(t, all, "sql", Warning, "in clear")
	r := redisWith(t)
	r.now = func() time.Time { return time.Now().Add(3 * time.Second) }
	wantFinding(t, r.All(t.Context()), "clock", Warning, "3")
	r.now = func() time.Time { return time.Now().Add(time.Second) }
	wantFinding(t, r.All(t.Context()), "clock", Good, "")
}

// What no waiting cures is told apart from what may pass.
func TestUntrustedRedis(t *testing.T) {
	for name, c := range map[string]struct {
		err  error
		want bool
	}{
		"an unknown authority": {x509.UnknownAuthorityError{}, true}, "another host": {x509.HostnameError{}, true},
		"no TLS": {tls.RecordHeaderError{}, true}, "an outage": {errors.New("refused"), false},
	} {
		if got := UntrustedRedis(c.err); got != c.want {
			t.Errorf("%s: got %t", name, got)
		}
	}
}

// Only what is wrong says at which master.
func TestTheWorstServerIsNamed(t *testing.T) {
	servers := []server{{"a:1", map[string]string{"maxmemory_policy": "noeviction"}}, {"b:2", map[string]string{"maxmemory_policy": "noeviction"}}}
	if got := worst(servers, eviction).Detail; got != "noeviction" {
		t.Errorf("of good ones: %s", got)
	}
	servers[1].info["maxmemory_policy"] = "allkeys-lru"
	if got := worst(servers, eviction).Detail; got != "b:2: allkeys-lru" {
		t.Errorf("of a bad one: %s", got)
	}
}

// From four fifths of its limit on a memory may be too small for an audience.
func TestMemoryThatIsNearlyFull(t *testing.T) {
	for used, want := range map[string]Grade{"80": Good, "81": Warning} {
		if got := memory(map[string]string{"used_memory": used, "maxmemory": "100"}).Grade; got != want {
			t.Errorf("%s%%: %s, want %s", used, got, want)
		}
	}
}
