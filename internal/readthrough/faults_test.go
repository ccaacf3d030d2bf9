package readthrough_test

import (
	"context"
	"errors"
	"slices"
	"testing"
	"time"

	"github.com/alicebob/miniredis/v2"
	"github.com/redis/go-redis/v9"

	"fanfare/internal/readthrough"
	"fanfare/test/backends"
	"fanfare/test/servers"
)

// recorder records what is sent to Redis: a command by its name, a pipeline as "pipeline".
type recorder struct {
	sent []string
	spot func([]redis.Cmder) // called after each pipeline
}

// note skips the greeting of a new connection.
func (r *recorder) note(cmd redis.Cmder, as string) {
	if name := cmd.Name(); name != "hello" && name != "client" {
		r.sent = append(r.sent, as)
	}
}

func (r *recorder) DialHook(next redis.DialHook) redis.DialHook { return next }

func (r *recorder) ProcessHook(next redis.ProcessHook) redis.ProcessHook {
	return func(ctx context.Context, cmd redis.Cmder) error {
		r.note(cmd, cmd.Name())
		return next(ctx, cmd)
	}
}

func (r *recorder) ProcessPipelineHook(next redis.ProcessPipelineHook) redis.ProcessPipelineHook {
	return func(ctx context.Context, cmds []redis.Cmder) error {
		r.note(cmds[0], "pipeline")
		err := next(ctx, cmds)
		if r.spot != nil {
			r.spot(cmds)
		}
		return err
	}
}

func TestRoundTripsOfALookup(t *testing.T) {
	single := backends.ConnectOnce(t, miniredis.RunT(t).Addr())
	cluster := redis.NewClusterClient(&redis.ClusterOptions{Addrs: servers.RedisCluster(t)})
	defer cluster.Close()
	for name, c := range map[string]struct {
		rdb          redis.UniversalClient
		misses, hits []string
	}{
		"single":  {single, []string{"mget", "mget", "pipeline"}, []string{"mget"}},
		"cluster": {cluster, []string{"pipeline", "pipeline", "pipeline"}, []string{"pipeline"}},
	} {
		t.Run(name, func(t *testing.T) {
			if err := c.rdb.Ping(t.Context()).Err(); err != nil {
				t.Fatal(err)
			}
			r := new(recorder)
			c.rdb.AddHook(r)
			b := newRig(t, c.rdb)
			b.table.rows = rows{"1": "one", "2": "two", "3": "three"}
			b.found(b.cache(), "1", "2", "3")
			b.expect("with misses", r.sent, c.misses)
			r.sent = nil
			b.found(b.cache(), "1", "2", "3")
			b.expect("with hits alone", r.sent, c.hits)
		})
	}
}

func TestAShardThatDoesNotAnswerLeavesTheOthers(t *testing.T) {
	rdb := redis.NewClusterClient(&redis.ClusterOptions{Addrs: servers.RedisCluster(t)})
	defer rdb.Close()
	b := newRig(t, rdb)
	b.table.rows = rows{"1": "one", "2": "two"}
	loading := errors.New("LOADING Redis is loading the dataset in memory")
	rdb.AddHook(&recorder{spot: func(cmds []redis.Cmder) {
		for _, cmd := range cmds {
			if cmd.Args()[1] == b.keys.Value("2") {
				cmd.SetErr(loading)
			}
		}
	}})
	found, err := b.cache().Lookup(t.Context(), []string{"1", "2", "3"})
	b.expect("found", found, rows{"1": "one"})
	partial, ok := errors.AsType[*readthrough.SourceError](err)
	if !ok || !errors.Is(err, loading) {
		t.Fatalf("got error %v, want a SourceError", err)
	}
	b.expect("undecided", partial.IDs, []string{"2"})
	b.expect("queries", b.table.asked, [][]string{{"1", "3"}})
}

func TestWithoutRedisEverybodyIsUndecided(t *testing.T) {
	server := miniredis.RunT(t)
	b := newRig(t, backends.ConnectOnce(t, server.Addr()))
	server.Close()
	b.table.rows = rows{"1": "one"}
	found, err := b.cache().Lookup(t.Context(), []string{"1", "2"})
	b.expect("found", found, rows{})
	partial, ok := errors.AsType[*readthrough.SourceError](err)
	if !ok {
		t.Fatalf("got error %v, want a SourceError", err)
	}
	b.expect("undecided", slices.Sorted(slices.Values(partial.IDs)), []string{"1", "2"})
}

func TestAFullRedisCostsTheWriteBackAlone(t *testing.T) {
	b := newRig(t, backends.ConnectOnce(t, servers.Redis(t)))
	b.store(b.keys.Value("1"), "SHOUTED")
	b.table.during = func() error {
		b.store(b.keys.None("4"), "dead")
		return b.rdb.ConfigSet(t.Context(), "maxmemory", "1").Err()
	}
	b.table.rows = rows{"1": "one", "2": "two", "4": "dead"}
	b.expect("found", b.found(b.cache(), "1", "2", "3", "4"), rows{"1": "one", "2": "two"})
	b.expect("Redis", b.content(b.keys.Value("2")), "(none)")
	b.expect("logged", b.log.Len() > 0, true)
}

func TestNewRefusesWhatCannotWork(t *testing.T) {
	b := newRig(t, backends.ConnectOnce(t, "127.0.0.1:0"))
	good := readthrough.Options{TTL: ttl, NegativeTTL: negativeTTL}
	for name, c := range map[string]struct {
		rdb  redis.UniversalClient
		keys readthrough.Keys
		opts readthrough.Options
	}{
		"no client":              {nil, b.keys, good},
		"no keys":                {b.rdb, readthrough.Keys{}, good},
		"TTL too short":          {b.rdb, b.keys, readthrough.Options{TTL: time.Millisecond, NegativeTTL: negativeTTL}},
		"negative TTL too short": {b.rdb, b.keys, readthrough.Options{TTL: ttl}},
	} {
		if _, err := readthrough.New(c.rdb, c.keys, decode, nil, c.opts); err == nil {
			t.Errorf("%s: accepted", name)
		}
	}
}

func TestUndecided(t *testing.T) {
	for _, c := range []struct {
		err  error
		want bool
	}{
		{nil, false},
		{errors.New("anything"), true},
		{&readthrough.SourceError{IDs: []string{"1"}, Err: errors.New("down")}, true},
		{&readthrough.SourceError{IDs: []string{"2"}, Err: errors.New("down")}, false},
	} {
		if got := readthrough.IsUndecided(c.err, "1"); got != c.want {
			t.Errorf("with %v: got %v", c.err, got)
		}
	}
}
