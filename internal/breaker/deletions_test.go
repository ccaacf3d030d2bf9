package breaker_test

import (
	"bytes"
	"errors"
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/alicebob/miniredis/v2"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/redis/go-redis/v9"
	"pgregory.net/rapid"

	"fanfare/internal/breaker"
	"fanfare/internal/keys"
	"fanfare/internal/queue"
	"fanfare/internal/redisx"
	"fanfare/test/backends"
	"fanfare/test/servers"
)

// shredder is a replica that deletes tokens of a project.
type shredder struct {
	tester
	*breaker.Deletions
	log   *bytes.Buffer
	reg   *prometheus.Registry
	ahead time.Duration
}

func shred(t tester, rdb redis.UniversalClient, project keys.ProjectKeys, least int64, share float64) *shredder {
	t.Helper()
	s := &shredder{tester: t, log: &bytes.Buffer{}, reg: prometheus.NewRegistry()}
	d, err := breaker.NewDeletions(rdb, project, breaker.DeletionsOptions{
		Least: least, Share: share, Logger: slog.New(slog.NewTextHandler(s.log, nil)), Registerer: s.reg,
	})
	if err != nil {
		t.Fatalf("make deletions: %v", err)
	}
	start := time.Unix(1_000_000, 0)
	d.SetClock(func() time.Time { return start.Add(s.ahead) })
	s.Deletions = d
	return s
}

func project(name string) keys.ProjectKeys { return keys.Default().Project(name) }

// take takes until it is refused, or most deletions are made.
func (s *shredder) take(most int) (taken int) {
	s.Helper()
	for taken < most {
		allowed, err := s.Take(s.Context())
		if err != nil {
			s.Fatalf("take: %v", err)
		}
		if !allowed {
			return taken
		}
		taken++
	}
	return taken
}

func (s *shredder) state() breaker.DeletionsState {
	s.Helper()
	state, err := s.State(s.Context())
	if err != nil {
		s.Fatalf("state: %v", err)
	}
	return state
}

func deletionsWithinABudget(t *testing.T, b *backends.Backend) {
	servers.AvoidHourChange(t, b.Redis)
	p := project(queue.NewID())
	one, two := shred(t, b.Redis, p, 100, 0.25), shred(t, b.Redis, p, 100, 0.25)
	both := one.take(60) + two.take(1000) + one.take(1000)
	wantEqual(t, "taken of the least", both, 100)

	// A quarter of 1,000 answers.
	one.Note(400)
	two.Note(600)
	one.ahead, two.ahead = 2*time.Second, 2*time.Second
	two.take(0)
	both += two.take(1) + one.take(1) // which tells the answers
	both += two.take(1000) + one.take(1000)
	one.ahead, two.ahead = 4*time.Second, 4*time.Second
	both += two.take(1000) + one.take(1000)
	wantEqual(t, "taken of the share", both, 250)
	s := one.state()
	wantEqual(t, "answers", s.Answers, 1000)
	wantEqual(t, "budget", s.Budget, 250)
	wantEqual(t, "leased", s.Taken, 250)
}

func deletionsWithheld(t *testing.T, b *backends.Backend) {
	servers.AvoidHourChange(t, b.Redis)
	s := shred(t, b.Redis, project(queue.NewID()), 10, 0)
	wantEqual(t, "taken", s.take(1000), 10)
	for range 4 {
		wantEqual(t, "taken beyond", s.take(1), 0)
	}
	wantEqual(t, "lines in the log", strings.Count(s.log.String(), "too many dead tokens"), 1)
	s.ahead = 2 * time.Second
	wantEqual(t, "taken later", s.take(1), 0)
	wantEqual(t, "lines in the log", strings.Count(s.log.String(), "\n"), 1)
	wantEqual(t, "withheld", s.state().Withheld, 5)
	s.ahead = 4 * time.Second
	wantEqual(t, "taken later still", s.take(1), 0)
	wantEqual(t, "withheld then", s.state().Withheld, 6)
	families, err := s.reg.Gather()
	if err != nil || len(families) != 1 || families[0].GetName() != "fanfare_breaker_withheld_deletions_total" {
		t.Fatalf("metrics %v, error %v", families, err)
	}
	wantEqual(t, "counted", families[0].GetMetric()[0].GetCounter().GetValue(), 7)
}

// Another hour is another budget, whatever was leased or noted in the last one.
func TestDeletionsOfAnotherHour(t *testing.T) {
	server := miniredis.RunT(t)
	rdb := redis.NewClient(&redis.Options{Addr: server.Addr()})
	defer func() { _ = rdb.Close() }()
	start := time.Date(2026, 5, 1, 10, 30, 0, 0, time.UTC)
	server.SetTime(start)
	s, other := shred(t, rdb, project("p"), 100, 0.5), shred(t, rdb, project("p"), 100, 0.5)
	wantEqual(t, "taken", s.take(1), 1) // and some are in stock
	leased := s.state().Taken
	wantEqual(t, "hour", s.state().Hour, start.Truncate(time.Hour))
	other.Note(100_000)

	server.SetTime(start.Add(30 * time.Minute))
	s.ahead, other.ahead = 30*time.Minute, 30*time.Minute
	other.Note(1) // which makes those of the last hour no younger
	wantEqual(t, "left of the new hour", s.state(), breaker.DeletionsState{Hour: start.Add(30 * time.Minute), Left: time.Hour, Budget: 100})
	wantEqual(t, "taken with answers of the last hour", other.take(1000), 100)
	wantEqual(t, "taken of the last hour's stock", s.take(1000), 0)
	wantEqual(t, "answers", s.state().Answers, 0)
	wantEqual(t, "leased at once, a fiftieth of what is left", leased, 2)
}

// Rubbish that a hand has put there counts for nothing, and the budget holds again.
func TestDeletionsOfRubbish(t *testing.T) {
	server := miniredis.RunT(t)
	rdb := redis.NewClient(&redis.Options{Addr: server.Addr()})
	defer func() { _ = rdb.Close() }()
	p := project("p")
	first := shred(t, rdb, p, 100, 0.5)
	wantEqual(t, "taken", first.take(1), 1)
	for _, field := range []string{"answers", "taken", "withheld"} {
		server.HSet(p.Key(keys.SuffixDeletions), field, "x")
	}
	wantEqual(t, "state", first.state().Taken, 0)
	wantEqual(t, "taken of the budget", shred(t, rdb, p, 100, 0.5).take(1000), 100)
}

func deletionsLostReplies(t *testing.T, b *backends.Backend) {
	servers.AvoidHourChange(t, b.Redis)
	p := project(queue.NewID())
	s := shred(t, b.Lossy, p, 100, 0.5)
	b.Lose(t, servers.EveryNth(2))
	s.Note(1000)
	wantEqual(t, "taken", s.take(10_000), 500)
	wantEqual(t, "answers", s.state().Answers, 1000)

	b.Lose(t, servers.EveryNth(1))
	s.Note(1000)
	s.ahead = 2 * time.Second
	for range 3 {
		if allowed, err := s.Take(t.Context()); allowed || err == nil {
			t.Errorf("allowed %v without Redis, error %v", allowed, err)
		}
	}
	commands, _ := b.CountScripts()
	wantEqual(t, "scripts of three refusals", commands, b.Attempts)
	b.Lose(t, nil)
	s.ahead = 4 * time.Second
	taken := s.take(10_000)
	if taken < 400 || taken > 500 {
		t.Errorf("%d taken after an outage, want up to 500, less what was leased meanwhile", taken)
	}
	wantEqual(t, "answers", s.state().Answers, 2000)
}

// However replicas note and take, and whatever gets lost: no more is deleted than what was noted
// allows, and all of the least can be.
func TestDeletionsLaws(t *testing.T) {
	server := miniredis.RunT(t)
	server.SetTime(began)
	rdb := redis.NewClient(&redis.Options{Addr: server.Addr(), MaxRetries: -1})
	t.Cleanup(func() { _ = rdb.Close() })
	rapid.Check(t, func(rt *rapid.T) {
		p, lines := project(queue.NewID()), []*line{{UniversalClient: rdb}, {UniversalClient: rdb}, {UniversalClient: rdb}}
		var all []*shredder
		for _, l := range lines {
			all = append(all, shred(rt, l, p, 60, 0.25))
		}
		var noted, taken int64
		for range rapid.IntRange(1, 60).Draw(rt, "steps") {
			at := rapid.IntRange(0, len(all)-1).Draw(rt, "replica")
			s := all[at]
			if rapid.Bool().Draw(rt, "note") {
				n := rapid.Int64Range(1, 100).Draw(rt, "answers")
				s.Note(n)
				noted += n
				continue
			}
			lines[at].losses, lines[at].arrives = rapid.IntRange(0, 1).Draw(rt, "losses"), rapid.Bool().Draw(rt, "arrives")
			for range rapid.IntRange(1, 40).Draw(rt, "tokens") {
				if allowed, _ := s.Take(rt.Context()); allowed {
					taken++
				}
			}
			s.ahead += 2 * time.Second
			if limit := max(60, noted/4); taken > limit {
				rt.Fatalf("%d deleted after %d answers, want at most %d", taken, noted, limit)
			}
		}
		for _, l := range lines {
			l.losses = 0
		}
		for _, s := range all {
			s.ahead += 2 * time.Second
			taken += int64(s.take(1000))
		}
		if taken < 60 {
			rt.Fatalf("only %d deleted", taken)
		}
	})
}

// A Redis that is full and must not evict still counts deletions.
func TestFullRedisCountsDeletions(t *testing.T) {
	b := backends.OpenRedis(t)
	s := shred(t, b.Redis, project("p"), 100, 0)
	wantEqual(t, "taken", s.take(1), 1)
	b.Fill(t)
	wantEqual(t, "taken when it is full", s.take(1000), 99)
}

func deletionsWrongType(t *testing.T, b *backends.Backend) {
	p := project(queue.NewID())
	s := shred(t, b.Redis, p, 100, 0)
	if err := b.Redis.Set(t.Context(), p.Key(keys.SuffixDeletions), "x", 0).Err(); err != nil {
		t.Fatal(err)
	}
	allowed, err1 := s.Take(t.Context())
	_, err2 := s.State(t.Context())
	wantEqual(t, "allowed", allowed, false)
	for _, err := range []error{err1, err2} {
		if wrong, ok := errors.AsType[*redisx.TypeError](err); !ok || wrong.Key != p.Key(keys.SuffixDeletions) {
			t.Errorf("error %v, want one that names the key", err)
		}
	}
}

func TestDeletionsOptionsRefused(t *testing.T) {
	for name, spoil := range map[string]func(*breaker.DeletionsOptions){
		"logger": func(o *breaker.DeletionsOptions) { o.Logger = nil },
		"least":  func(o *breaker.DeletionsOptions) { o.Least = -1 },
		"share":  func(o *breaker.DeletionsOptions) { o.Share = 2 },
	} {
		o := breaker.DeletionsOptions{Least: 1000, Share: 0.25, Logger: slog.New(slog.DiscardHandler)}
		spoil(&o)
		if _, err := breaker.NewDeletions(nil, project("p"), o); err == nil {
			t.Errorf("%s was taken", name)
		}
	}
}
