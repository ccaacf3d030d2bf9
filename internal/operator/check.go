package operator

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"fanfare/internal/redact"
)

// Grade is how well something was found.
type Grade string

// A campaign can be sent with warnings; with a failure it should not be.
const (
	Good    Grade = "ok"
	Warning Grade = "warning"
	Failure Grade = "failure"
)

var severity = map[Grade]int{Good: 0, Warning: 1, Failure: 2}

// Finding is the result of one check, with what to do about it where it is not good.
type Finding struct {
	Name   string `json:"name"`
	Grade  Grade  `json:"grade"`
	Detail string `json:"detail"`
	Advice string `json:"advice,omitempty"`
	// Cause is the error that a failure stands for, if there is one. It decides the exit code.
	Cause error `json:"-"`
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
		f := Finding{Name: probe.Name, Grade: Good}
		var err error
		f.Detail, err = probe.Run(ctx)
		if caution, ok := errors.AsType[*Caution](err); ok {
			f.Grade, f.Detail, f.Advice = Warning, caution.Problem, caution.Advice
		} else if err != nil {
			f.Grade, f.Detail, f.Cause = Failure, inOneLine(err), err
		}
		findings = append(findings, f)
	}
	for i := range findings {
		findings[i].Detail = redact.Text(findings[i].Detail)
	}
	return findings
}

// inOneLine takes the line breaks and tabs out of an error: database drivers write several lines.
func inOneLine(err error) string { return strings.Join(strings.Fields(redact.Text(err.Error())), " ") }

func (o *Operator) checkRedis(ctx context.Context) []Finding {
	servers, err := o.askServers(ctx)
	if err != nil {
		return []Finding{{
			Name: "redis", Grade: Failure, Detail: inOneLine(err), Advice: RedisAdvice(err), Cause: err,
		}}
	}
	return []Finding{
		worst(servers, version),
		worst(servers, o.mode),
		worst(servers, memory),
		worst(servers, eviction),
		worst(servers, persistence),
		worst(servers, replication),
		o.checkAudiences(ctx),
		o.checkScripts(ctx),
		o.checkClock(ctx),
	}
}

// CheckAtStart reports whether Redis is a server that is refused, or a cluster that the client takes for one server, and whether it may throw recipients
// away to make room: under any policy but noeviction, once it has a memory limit.
func (o *Operator) CheckAtStart(ctx context.Context) (mode, evicts Finding, err error) {
	servers, err := o.askServers(ctx)
	if err != nil {
		return mode, evicts, err
	}
	if server := worst(servers, version); server.Grade == Failure {
		return server, worst(servers, eviction), nil
	}
	return worst(servers, o.mode), worst(servers, eviction), nil
}

// probeScript does what our scripts do: it writes and removes a key.
const probeScript = `redis.call('SET', KEYS[1], '', 'PX', 1000) return redis.call('DEL', KEYS[1])`

func (o *Operator) checkScripts(ctx context.Context) Finding {
	f := Finding{Name: "redis scripts", Grade: Good, Detail: "may run, and write to our keys"}
	key := o.deps.Names.Registry() + ":check"
	if err := o.deps.Redis.Eval(ctx, probeScript, []string{key}).Err(); err != nil {
		f.Grade, f.Detail, f.Cause = Failure, err.Error(), err
		f.Advice = "let the user run scripts and write to the keys of names.* in config.yaml (ACL SETUSER), and Redis have memory"
	}
	return f
}

func (o *Operator) checkClock(ctx context.Context) Finding {
	f := Finding{Name: "clock", Grade: Good}
	before := o.now()
	server, err := o.deps.Redis.Time(ctx).Result()
	if err != nil {
		f.Grade, f.Detail, f.Cause = Failure, fmt.Sprintf("ask Redis for the time: %v", err), err
		f.Advice = RedisAdvice(err)
		return f
	}
	off := server.Sub(before.Add(o.now().Sub(before) / 2)).Round(time.Millisecond)
	f.Detail = fmt.Sprintf("%s from Redis' clock", off.Abs())
	if off.Abs() > clockTolerance {
		f.Grade, f.Advice = Warning, "synchronise the clocks (NTP): the times in results would mislead"
	}
	return f
}
