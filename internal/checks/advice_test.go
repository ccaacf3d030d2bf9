package checks

import (
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"io"
	"strings"
	"testing"

	"github.com/alicebob/miniredis/v2"
	"github.com/redis/go-redis/v9"
)

// Each failure of Redis comes with the step that fixes it.
func TestRedisAdvice(t *testing.T) {
	t.Parallel()
	server := miniredis.RunT(t)
	rdb := redis.NewClient(&redis.Options{Addr: server.Addr(), MaxRetries: -1})
	defer rdb.Close()
	answer := func(text string) error { // as the client classifies it
		server.SetError(text)
		return rdb.Ping(t.Context()).Err()
	}
	for name, c := range map[string]struct {
		err       error
		want      string
		untrusted bool
	}{
		"another host":    {x509.HostnameError{Certificate: &x509.Certificate{}, Host: "r"}, "redis.tls.server_name", true},
		"no TLS":          {tls.RecordHeaderError{Msg: "first record"}, "redis.tls.enabled: false", true},
		"authority":       {x509.UnknownAuthorityError{}, "redis.tls.ca_file", true},
		"wrong password":  {answer("WRONGPASS invalid username-password pair"), "the user name or the password is wrong", false},
		"an old server":   {answer("ERR invalid password"), "the user name or the password is wrong", false},
		"no password":     {answer("NOAUTH Authentication required."), "set REDIS_PASSWORD", false},
		"denied, named":   {answer("NOPERM User app has no permissions to run the 'info' command"), "ACL SETUSER app +info;", false},
		"denied, unnamed": {answer("NOPERM this user has no permissions to run the 'info' command"), "ACL SETUSER USER +info;", false},
		"denied, keys":    {answer("NOPERM No permissions to access a key"), "ACL SETUSER USER;", false},
		"away":            {io.EOF, "check REDIS_URL", false},
		"nothing":         {nil, "check REDIS_URL", false},
	} {
		err := c.err
		if err != nil {
			err = fmt.Errorf("ping: %w", err)
		}
		if got := RedisAdvice(err); !strings.Contains(got, c.want) || IsUntrustedRedis(err) != c.untrusted {
			t.Errorf("%s: %s, untrusted %v, want %q", name, got, IsUntrustedRedis(err), c.want)
		}
	}
}

// A clock that cannot be read is a failure with its cause.
func TestClockWithoutAnswer(t *testing.T) {
	t.Parallel()
	server := miniredis.RunT(t)
	rdb := redis.NewClient(&redis.Options{Addr: server.Addr(), MaxRetries: -1})
	defer rdb.Close()
	server.SetError("NOAUTH Authentication required.")
	f := Redis{Client: rdb}.checkClock(t.Context())
	if f.Grade != Failure || f.Cause == nil || !strings.Contains(f.Advice, "REDIS_PASSWORD") || !strings.Contains(f.Detail, "NOAUTH") {
		t.Errorf("%+v", f)
	}
}

func TestGradesAreCompared(t *testing.T) {
	t.Parallel()
	all := []Grade{Good, Warning, Failure}
	for i, a := range all {
		for k, b := range all {
			if a.IsWorse(b) != (i > k) {
				t.Errorf("%s is worse than %s: %v", a, b, a.IsWorse(b))
			}
		}
	}
	if got := (&Caution{"it evicts", "set noeviction"}).Error(); got != "it evicts; set noeviction" {
		t.Errorf("a caution says %q", got)
	}
}
