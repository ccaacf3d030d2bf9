package operator

import (
	"context"
	"fmt"
	"strconv"
	"strings"
	"time"
)

// Grade is how well something was found.
type Grade string

// A campaign can be sent with warnings; with a failure it should not be.
const (
	Good    Grade = "ok"
	Warning Grade = "warning"
	Failure Grade = "failure"
)

// Finding is the result of one check, with what to do about it where it is not good.
type Finding struct {
	Name   string `json:"name"`
	Grade  Grade  `json:"grade"`
	Detail string `json:"detail"`
	Advice string `json:"advice,omitempty"`
}

// Probe is a check of a part that only the caller has: SQL, the credentials.
type Probe struct {
	Name string
	Run  func(ctx context.Context) (detail string, err error)
}

// clockTolerance is how far this machine's clock may be from Redis' before a person is told. Nothing depends on it but the
// times in results: leases and deadlines go by Redis' clock.
const clockTolerance = 2 * time.Second

// Check looks at everything that sending depends on. A finding never stops the others.
func (o *Operator) Check(ctx context.Context, probes ...Probe) []Finding {
	findings := o.checkRedis(ctx)
	for _, probe := range probes {
		detail, err := probe.Run(ctx)
		if err != nil {
			findings = append(findings, Finding{Name: probe.Name, Grade: Failure, Detail: err.Error()})
			continue
		}
		findings = append(findings, Finding{Name: probe.Name, Grade: Good, Detail: detail})
	}
	return findings
}

func (o *Operator) checkRedis(ctx context.Context) []Finding {
	text, err := o.deps.Redis.Info(ctx).Result()
	if err != nil {
		return []Finding{{
			Name: "redis", Grade: Failure, Detail: fmt.Sprintf("ask for INFO: %v", err),
			Advice: "check REDIS_URL, or REDIS_HOST, REDIS_PORT and REDIS_PASSWORD",
		}}
	}
	info := parseInfo(text)
	return []Finding{
		checkVersion(info),
		eviction(info),
		checkPersistence(info),
		o.checkScripts(ctx),
		o.checkClock(ctx),
	}
}

// parseInfo reads the "key:value" lines of INFO.
func parseInfo(text string) map[string]string {
	info := make(map[string]string)
	for line := range strings.Lines(text) {
		if key, value, ok := strings.Cut(strings.TrimSpace(line), ":"); ok {
			info[key] = value
		}
	}
	return info
}

// checkVersion wants LPOP with a count and SCAN with TYPE: Redis 6.2.
func checkVersion(info map[string]string) Finding {
	version := info["redis_version"]
	major, rest, _ := strings.Cut(version, ".")
	minor, _, _ := strings.Cut(rest, ".")
	a, errA := strconv.Atoi(major)
	b, errB := strconv.Atoi(minor)
	f := Finding{Name: "redis version", Grade: Good, Detail: version}
	switch {
	case errA != nil || errB != nil:
		f.Grade, f.Detail = Warning, fmt.Sprintf("not told (%q)", version)
	case a < 6 || a == 6 && b < 2:
		f.Grade, f.Advice = Failure, "upgrade to Redis 6.2 or later"
	}
	return f
}

// CheckEviction tells whether Redis may throw recipients away to make room: under any policy but noeviction, once it
// has a memory limit.
func (o *Operator) CheckEviction(ctx context.Context) (Finding, error) {
	text, err := o.deps.Redis.Info(ctx, "memory").Result()
	if err != nil {
		return Finding{}, fmt.Errorf("ask Redis for INFO: %w", err)
	}
	return eviction(parseInfo(text)), nil
}

func eviction(info map[string]string) Finding {
	policy, limit := info["maxmemory_policy"], info["maxmemory"]
	f := Finding{Name: "redis eviction", Grade: Good, Detail: policy}
	switch {
	case policy == "noeviction":
	case policy == "":
		f.Grade, f.Detail = Warning, "not told by this server"
	case limit == "0":
		f.Grade, f.Detail = Warning, policy+", but without a memory limit"
		f.Advice = "CONFIG SET maxmemory-policy noeviction, before anybody sets maxmemory"
	default:
		f.Grade = Failure
		f.Advice = "CONFIG SET maxmemory-policy noeviction: under memory pressure this policy deletes audiences"
	}
	return f
}

// checkPersistence tells what a crash of Redis would lose.
func checkPersistence(info map[string]string) Finding {
	f := Finding{Name: "redis persistence", Grade: Good, Detail: "append-only file"}
	switch {
	case info["aof_enabled"] == "1" && info["aof_last_write_status"] == "err":
		f.Grade, f.Detail, f.Advice = Failure, "the append-only file cannot be written", "look at the server's disk and log"
	case info["aof_enabled"] == "1":
	case info["rdb_last_bgsave_status"] == "err":
		f.Grade, f.Detail, f.Advice = Failure, "the last snapshot failed", "look at the server's disk and log"
	default:
		f.Grade, f.Detail = Warning, "snapshots only"
		f.Advice = "CONFIG SET appendonly yes: a crash of Redis would lose what came after the last snapshot"
	}
	return f
}

func (o *Operator) checkScripts(ctx context.Context) Finding {
	f := Finding{Name: "redis scripts", Grade: Good, Detail: "EVAL is allowed"}
	probe := o.deps.Names.Registry()
	if err := o.deps.Redis.Eval(ctx, "return redis.call('EXISTS', KEYS[1])", []string{probe}).Err(); err != nil {
		f.Grade, f.Detail = Failure, err.Error()
		f.Advice = "give the user the rights +@scripting and +@all on the prefixes in config.yaml (ACL SETUSER)"
	}
	return f
}

func (o *Operator) checkClock(ctx context.Context) Finding {
	f := Finding{Name: "clock", Grade: Good}
	before := o.now()
	server, err := o.deps.Redis.Time(ctx).Result()
	if err != nil {
		f.Grade, f.Detail = Failure, fmt.Sprintf("ask Redis for the time: %v", err)
		return f
	}
	off := server.Sub(before.Add(o.now().Sub(before) / 2)).Round(time.Millisecond)
	f.Detail = fmt.Sprintf("%s from Redis' clock", off.Abs())
	if off.Abs() > clockTolerance {
		f.Grade, f.Advice = Warning, "synchronise the clocks (NTP): the times in results would mislead"
	}
	return f
}
