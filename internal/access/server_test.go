package access

import (
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/redis/go-redis/v9"

	"fanfare/internal/keys"
	"fanfare/internal/redisx"
	"fanfare/test/servers"
)

// restricted returns a connection of a user with these rules of ACL SETUSER alone.
func restricted(t *testing.T, addr string, rules ...string) *redis.Client {
	t.Helper()
	admin := redis.NewClient(&redis.Options{Addr: addr})
	defer admin.Close()
	args := []any{"ACL", "SETUSER", "poor", "reset", "on", ">secret"}
	for _, rule := range rules {
		args = append(args, rule)
	}
	if err := admin.Do(t.Context(), args...).Err(); err != nil {
		t.Fatal(err)
	}
	poor := redis.NewClient(&redis.Options{Addr: addr, Username: "poor", Password: "secret"})
	t.Cleanup(func() { _ = poor.Close() })
	return poor
}

// Everything that is denied is named at once: keys, commands on keys, and commands without a key.
func TestCheckNamesAllThatIsDenied(t *testing.T) {
	addr, n := servers.Redis(t), keys.Default()
	needed := slices.Concat(Results(n), Tokens(n)[:1], Results(n), []Keys{Server(true), Server(false)})
	poor := restricted(t, addr, "+@all", "-lpos", "-scan", "-info", "~notification:responses", "~{notification:responses}:*")
	err := Check(t.Context(), poor, needed...)
	denied, is := errors.AsType[*Error](err)
	if !is || !redisx.IsDenied(err) {
		t.Fatalf("the error is %v", err)
	}
	if on := []string{"notification:responses", "{notification:responses}:*"}; !slices.Equal(denied.On, on) ||
		!slices.Equal(denied.Patterns, []string{"user:*"}) || !slices.Equal(denied.Commands, []string{"lpos"}) || !slices.Equal(denied.Keyless, []string{"info", "scan"}) {
		t.Errorf("denied %+v, want lpos on %q, info, scan and user:*", denied, on)
	}
	one := restricted(t, addr, "+@all", "-lpos", "~notification:responses", "~{notification:responses}:*")
	if err := Check(t.Context(), one, needed...); err == nil {
		t.Error("a pattern and a command are denied, and the check finds nothing")
	}
}

// A channel that is denied is told from a command that is, and both from a Redis that is away.
func TestCheckChannel(t *testing.T) {
	addr, project := servers.Redis(t), keys.Default().Project("p")
	if err := CheckChannel(t.Context(), restricted(t, addr, "+@all", "~*", "&{fanfare:p}:signal"), project); err != nil {
		t.Errorf("with all rights: %v", err)
	}
	for rule, grant := range map[string]string{"": "&{fanfare:p}:signal", "-subscribe": "+subscribe", "-publish": "+publish"} {
		rules := []string{"+@all", "~*"}
		if rule != "" {
			rules = append(rules, "&*", rule)
		}
		err := CheckChannel(t.Context(), restricted(t, addr, rules...), project)
		if !redisx.IsDenied(err) || !strings.HasSuffix(err.Error(), "ACL SETUSER poor "+grant) {
			t.Errorf("with %q: %v, want the rule %s", rules, err, grant)
		}
	}
	gone := redis.NewClient(&redis.Options{Addr: "127.0.0.1:1", MaxRetries: -1})
	defer gone.Close()
	if err := CheckChannel(t.Context(), gone, project); err == nil || redisx.IsDenied(err) {
		t.Errorf("without a Redis: %v", err)
	}
	if err := Check(t.Context(), gone, Server(false)); err == nil || redisx.IsDenied(err) {
		t.Errorf("without a Redis: %v", err)
	}
}
