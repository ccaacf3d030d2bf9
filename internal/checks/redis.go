package checks

import (
	"cmp"
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"regexp"
	"strings"
	"time"

	"github.com/redis/go-redis/v9"

	"fanfare/internal/redact"
	"fanfare/internal/redisx"
)

// clockTolerance is how far this machine's clock may be from Redis' clock without a warning. Only
// the times in results depend on it: leases and deadlines go by Redis' clock.
const clockTolerance = 2 * time.Second

// Redis checks a Redis server, or every master of a cluster.
type Redis struct {
	Client redis.UniversalClient
	// Scratch is a key that may be written: a check writes and removes it.
	Scratch string

	now func() time.Time // nil: time.Now
}

// All runs every check of Redis. Where Redis cannot be reached, that is the only finding.
func (r Redis) All(ctx context.Context) []Finding {
	findings := r.runAll(ctx)
	for i := range findings {
		findings[i].Detail = redact.Text(findings[i].Detail)
	}
	return findings
}

func (r Redis) runAll(ctx context.Context) []Finding {
	servers, err := r.askServers(ctx)
	if err != nil {
		return []Finding{{Name: "redis", Grade: Failure, Detail: inOneLine(err), Advice: RedisAdvice(err), Cause: err}}
	}
	return []Finding{
		findWorst(servers, checkVersion),
		findWorst(servers, r.checkMode),
		findWorst(servers, checkMemory),
		findWorst(servers, checkEviction),
		findWorst(servers, checkPersistence),
		findWorst(servers, checkReplication),
		r.checkScripts(ctx),
		r.checkClock(ctx),
	}
}

// AtStart runs the checks that a daemon must pass before it starts. A failed mode is a server that
// is refused, or a cluster that the client takes for one server. evicts says whether Redis may
// delete recipients to make room: under any policy but noeviction, once it has a memory limit.
func (r Redis) AtStart(ctx context.Context) (mode, evicts Finding, err error) {
	servers, err := r.askServers(ctx)
	if err != nil {
		return mode, evicts, err
	}
	if server := findWorst(servers, checkVersion); server.Grade == Failure {
		return server, findWorst(servers, checkEviction), nil
	}
	return findWorst(servers, r.checkMode), findWorst(servers, checkEviction), nil
}

// probeScript does what our scripts do: it writes and removes a key.
const probeScript = `redis.call('SET', KEYS[1], '', 'PX', 1000) return redis.call('DEL', KEYS[1])`

func (r Redis) checkScripts(ctx context.Context) Finding {
	f := Finding{Name: "redis scripts", Grade: Good, Detail: "can run and write to the keys"}
	if err := r.Client.Eval(ctx, probeScript, []string{r.Scratch}).Err(); err != nil {
		f.Grade, f.Detail, f.Cause = Failure, err.Error(), err
		f.Advice = "let the user run scripts and write to the keys of names.* in config.yaml (ACL SETUSER), and check that Redis has free memory"
	}
	return f
}

func (r Redis) checkClock(ctx context.Context) Finding {
	now := r.now
	if now == nil {
		now = time.Now
	}
	f := Finding{Name: "clock", Grade: Good}
	before := now()
	server, err := r.Client.Time(ctx).Result()
	if err != nil {
		f.Grade, f.Detail, f.Cause = Failure, fmt.Sprintf("ask Redis for the time: %v", err), err
		f.Advice = RedisAdvice(err)
		return f
	}
	off := server.Sub(before.Add(now().Sub(before) / 2)).Round(time.Millisecond)
	f.Detail = fmt.Sprintf("%s from Redis' clock", off.Abs())
	if off.Abs() > clockTolerance {
		f.Grade, f.Advice = Warning, "synchronise the clocks (NTP); the times in results are off"
	}
	return f
}

// IsUntrustedRedis reports whether Redis has a certificate that the settings do not trust, or does
// not use TLS. Waiting does not help.
func IsUntrustedRedis(err error) bool {
	_, authority := errors.AsType[x509.UnknownAuthorityError](err)
	_, host := errors.AsType[x509.HostnameError](err)
	_, plain := errors.AsType[tls.RecordHeaderError](err)
	return authority || host || plain
}

// RedisAdvice says what to do about an error of Redis at the start.
func RedisAdvice(err error) string {
	if _, wrongHost := errors.AsType[x509.HostnameError](err); wrongHost {
		return "set redis.tls.server_name to the host in the server's certificate, or connect to that host"
	}
	if _, plain := errors.AsType[tls.RecordHeaderError](err); plain {
		return "the server does not use TLS on this port; use its TLS port, or redis:// and redis.tls.enabled: false"
	}
	if IsUntrustedRedis(err) {
		return "set redis.tls.ca_file to the authority that signed the server's certificate"
	}
	text := ""
	if err != nil {
		text = err.Error()
	}
	switch {
	case strings.Contains(text, "WRONGPASS"), strings.Contains(text, "invalid password"):
		return "the user name or the password is wrong; check REDIS_URL, or REDIS_USERNAME and REDIS_PASSWORD, and ACL LIST in Redis"
	case strings.Contains(text, "NOAUTH"):
		return "Redis requires a password; set REDIS_PASSWORD or put it into REDIS_URL"
	case redisx.IsDenied(err):
		return "the Redis user lacks a permission; grant it with ACL SETUSER " + missingGrant(text) + "; deploy/README.md lists all of them"
	}
	return "check REDIS_URL, or REDIS_HOST, REDIS_PORT and REDIS_PASSWORD"
}

var deniedTo = regexp.MustCompile(`(?:User (\S+)|this user) has no permissions to run the '([^']+)' command`)

// missingGrant returns the arguments of ACL SETUSER that allow what an error denies.
func missingGrant(text string) string {
	if found := deniedTo.FindStringSubmatch(text); found != nil {
		return cmp.Or(found[1], "USER") + " +" + found[2]
	}
	return "USER"
}
