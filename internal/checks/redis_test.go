package checks

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"net"
	"strings"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"fanfare/test/servers"
)

// redisWith starts a Redis for one test.
func redisWith(t *testing.T, settings ...string) Redis {
	t.Helper()
	return at(t, servers.Redis(t, settings...))
}

func at(t *testing.T, addr string) Redis {
	t.Helper()
	rdb := redis.NewClient(&redis.Options{Addr: addr})
	t.Cleanup(func() { _ = rdb.Close() })
	return Redis{Client: rdb, Scratch: "check"}
}

func ok(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// finding returns the finding with a name.
func finding(t *testing.T, all []Finding, name string) Finding {
	t.Helper()
	for _, f := range all {
		if f.Name == name {
			return f
		}
	}
	t.Fatalf("nothing was found about %s: %+v", name, all)
	return Finding{}
}

// wantFinding checks the grade and the text of a finding. One that is not good must have advice.
func wantFinding(t *testing.T, all []Finding, name string, grade Grade, says string) {
	t.Helper()
	f := finding(t, all, name)
	if f.Grade != grade || !strings.Contains(f.Detail+" "+f.Advice, says) || grade != Good && f.Advice == "" {
		t.Errorf("got %+v, want %s that says %q", f, grade, says)
	}
}

func TestCheckOfASoundRedis(t *testing.T) {
	f := redisWith(t, "--appendonly", "yes")
	for _, finding := range f.All(t.Context()) {
		if finding.Grade != Good {
			t.Errorf("got %+v", finding)
		}
	}
	if keys := f.Client.Keys(t.Context(), "*").Val(); len(keys) > 0 {
		t.Errorf("the check left %q", keys)
	}
}

// Valkey is as good as Redis, and is shown by its own name.
func TestCheckOfASoundValkey(t *testing.T) {
	f := at(t, servers.Valkey(t, "--appendonly", "yes"))
	all := f.All(t.Context())
	for _, finding := range all {
		if finding.Grade != Good {
			t.Errorf("got %+v", finding)
		}
	}
	wantFinding(t, all, "redis version", Good, "Valkey ")
	wantFinding(t, all, "redis mode", Good, "standalone")
	cluster := at(t, servers.Valkey(t, "--cluster-enabled", "yes"))
	mode, _, err := cluster.AtStart(t.Context())
	ok(t, err)
	if got := mode.Grade; got != Failure {
		t.Errorf("a cluster taken for one server, at start: got %s, want %s", got, Failure)
	}
}

// A server may lack INFO. That is said, and is no reason not to start.
func TestCheckWithoutInfo(t *testing.T) {
	rdb := redis.NewClient(&redis.Options{Addr: servers.Redis(t, "--rename-command", "INFO", "", "--rename-command", "CONFIG", "")})
	defer rdb.Close()
	all := Redis{Client: rdb, Scratch: "check"}.All(t.Context())
	for _, name := range []string{"redis version", "redis memory", "redis eviction", "redis persistence"} {
		wantFinding(t, all, name, Warning, notReported)
	}
	mode, evicts, err := Redis{Client: rdb, Scratch: "check"}.AtStart(t.Context())
	ok(t, err)
	if got := mode.Grade; got != Good {
		t.Errorf("mode at start: got %s, want %s", got, Good)
	}
	if got := evicts.Grade; got != Warning {
		t.Errorf("eviction at start: got %s, want %s", got, Warning)
	}
}

// Servers that would lose recipients are refused, and others that are not tested named with a
// warning.
func TestVersionsOfOtherServers(t *testing.T) {
	for name, c := range map[string]struct {
		info  map[string]string
		grade Grade
	}{
		"ElastiCache Serverless": {map[string]string{"redis_version": "7.2.4", "valkey_version": "8.0", "server_mode": "cluster", "os": "Amazon ElastiCache"}, Failure},
		"Dragonfly":              {map[string]string{"redis_version": "7.4.0", "dragonfly_version": "df-v1.25.0"}, Warning},
		"KeyDB 5":                {map[string]string{"redis_version": "5.3.3", "mvcc_depth": "0"}, Failure},
	} {
		if f := checkVersion(c.info); f.Grade != c.grade || f.Advice == "" {
			t.Errorf("%s: got %+v", name, f)
		}
	}
}

func TestCheckFindsWhatWouldLoseRecipients(t *testing.T) {
	for name, c := range map[string]struct {
		settings []string
		finding  string
		grade    Grade
		says     string
	}{
		"evicts keys that expire": {[]string{"--maxmemory", "100mb", "--maxmemory-policy", "volatile-ttl"}, "redis eviction", Failure, "this policy deletes audiences"},
		"evicts any key":          {[]string{"--maxmemory", "100mb", "--maxmemory-policy", "allkeys-lru"}, "redis eviction", Failure, "noeviction"},
		"would evict":             {[]string{"--maxmemory-policy", "volatile-lru"}, "redis eviction", Warning, "without a memory limit"},
		"evicts nothing":          {[]string{"--maxmemory", "100mb"}, "redis eviction", Good, "noeviction"},
		"snapshots":               {nil, "redis persistence", Warning, "appendonly yes"},
		"full":                    {[]string{"--maxmemory", "1"}, "redis scripts", Failure, "OOM"},
		"nearly full":             {[]string{"--maxmemory", "1mb"}, "redis memory", Warning, "of 1 MiB used"},
	} {
		t.Run(name, func(t *testing.T) {
			f := redisWith(t, c.settings...)
			wantFinding(t, f.All(t.Context()), c.finding, c.grade, c.says)
			if c.finding != "redis eviction" {
				return
			}
			_, evicts, err := f.AtStart(t.Context())
			ok(t, err)
			if got := evicts.Grade; got != c.grade {
				t.Errorf("grade at start: got %s, want %s", got, c.grade)
			}
		})
	}
}

func TestCheckFindsMissingRights(t *testing.T) {
	addr := servers.Redis(t)
	admin := at(t, addr)
	ok(t, admin.Client.Do(t.Context(), "ACL", "SETUSER", "poor", "on", ">secret", "~*", "+@all", "-@scripting").Err())
	rdb := redis.NewClient(&redis.Options{Addr: addr, Username: "poor", Password: "secret"})
	defer rdb.Close()
	wantFinding(t, Redis{Client: rdb, Scratch: "check"}.All(t.Context()), "redis scripts", Failure, "NOPERM")
}

func TestCheckWithoutRedis(t *testing.T) {
	rdb := redis.NewClient(&redis.Options{Addr: "127.0.0.1:1", MaxRetries: -1})
	defer rdb.Close()
	probe := Probe{Name: "sql", Run: func(context.Context) (string, error) { return "fine", nil }}
	r := Redis{Client: rdb, Scratch: "check"}
	all := append(r.All(t.Context()), Run(t.Context(), probe)...)
	wantFinding(t, all, "redis", Failure, "REDIS_URL")
	wantFinding(t, all, "sql", Good, "fine") // one finding never stops the others
	if _, _, err := r.AtStart(t.Context()); err == nil {
		t.Error("at start: a Redis that cannot be reached was taken")
	}
}

// The worst of a cluster's masters counts and is named.
func TestCheckLooksAtEveryMaster(t *testing.T) {
	nodes := servers.RedisCluster(t)
	rdb := redis.NewClusterClient(&redis.ClusterOptions{Addrs: nodes})
	defer rdb.Close()
	bad := redis.NewClient(&redis.Options{Addr: nodes[1]})
	defer bad.Close()
	ok(t, bad.ConfigSet(t.Context(), "maxmemory", "100mb").Err())
	ok(t, bad.ConfigSet(t.Context(), "maxmemory-policy", "allkeys-lru").Err())
	all := Redis{Client: rdb, Scratch: "check"}.All(t.Context())
	wantFinding(t, all, "redis eviction", Failure, nodes[1]+": allkeys-lru")
	wantFinding(t, all, "redis mode", Good, "cluster")
	wantFinding(t, all, "redis scripts", Good, "")
}

// A cluster would refuse the scripts of a client in standalone mode, and only once they have work.
func TestCheckFindsAClusterTakenForOneServer(t *testing.T) {
	o := redisWith(t, "--cluster-enabled", "yes")
	wantFinding(t, o.All(t.Context()), "redis mode", Failure, "set redis.mode: cluster")
	mode, _, err := o.AtStart(t.Context())
	ok(t, err)
	if got := mode.Grade; got != Failure {
		t.Errorf("grade at start: got %s, want %s", got, Failure)
	}
	if got := o.checkMode(map[string]string{"cluster_enabled": "1"}).Grade; got != Failure {
		t.Errorf("where only cluster_enabled tells: got %s, want %s", got, Failure)
	}
}

func TestCheckOfProbesAndClock(t *testing.T) {
	f := redisWith(t)
	f.now = func() time.Time { return time.Now().Add(time.Minute) }
	all := append(f.All(t.Context()), Run(t.Context(), Probe{Name: "fcm credentials", Run: func(context.Context) (string, error) { return "", errors.New("no such file") }})...)
	wantFinding(t, all, "clock", Warning, "NTP")
	if got := finding(t, all, "fcm credentials"); got.Grade != Failure || got.Detail != "no such file" {
		t.Errorf("got %+v", got)
	}
}

func TestVersionsThatAreTooOld(t *testing.T) {
	for told, want := range map[string]Grade{
		"7.0.15": Good, "6.2.0": Good, "10.1": Good, "6.0.16": Failure, "5.0.14": Failure, "": Warning, "valkey": Warning,
	} {
		if got := checkVersion(map[string]string{"redis_version": told}).Grade; got != want {
			t.Errorf("%q: got %s, want %s", told, got, want)
		}
	}
}

func TestDisksThatFail(t *testing.T) {
	for name, info := range map[string]map[string]string{
		"append-only file": {"aof_enabled": "1", "aof_last_write_status": "err"},
		"snapshot":         {"aof_enabled": "0", "rdb_last_bgsave_status": "err"},
	} {
		if f := checkPersistence(info); f.Grade != Failure || f.Advice == "" {
			t.Errorf("%s: got %+v", name, f)
		}
	}
}

// Replicas that no write waits for lose outcomes in a failover.
func TestCheckOfReplication(t *testing.T) {
	addr := servers.Redis(t)
	f := at(t, addr)
	wantFinding(t, f.All(t.Context()), "redis replication", Good, "no replicas")
	host, port, err := net.SplitHostPort(addr)
	ok(t, err)
	servers.Redis(t, "--replicaof", host, port, "--repl-diskless-sync-delay", "0")
	ok(t, f.Client.ConfigSet(t.Context(), "repl-diskless-sync-delay", "0").Err())
	servers.Eventually(t, "a replica is connected", func() bool {
		return strings.Contains(f.Client.Info(t.Context(), "replication").Val(), "state=online")
	})
	wantFinding(t, f.All(t.Context()), "redis replication", Warning, "CONFIG SET min-replicas-to-write 1")
	ok(t, f.Client.ConfigSet(t.Context(), "min-replicas-to-write", "1").Err())
	wantFinding(t, f.All(t.Context()), "redis replication", Good, "1 connected")
}

// A caution is no failure. A clock that is slightly off is no finding.
func TestCheckOfWhatIsDangerousOnly(t *testing.T) {
	all := Run(t.Context(), Probe{Name: "sql", Run: func(context.Context) (string, error) { return "x", &Caution{"in clear", "add TLS"} }})
	wantFinding(t, all, "sql", Warning, "in clear")
	r := redisWith(t)
	r.now = func() time.Time { return time.Now().Add(3 * time.Second) }
	wantFinding(t, r.All(t.Context()), "clock", Warning, "3")
	r.now = func() time.Time { return time.Now().Add(time.Second) }
	wantFinding(t, r.All(t.Context()), "clock", Good, "")
}

// Certificate errors are told apart from outages that may pass.
func TestUntrustedRedis(t *testing.T) {
	for name, c := range map[string]struct {
		err  error
		want bool
	}{
		"an unknown authority": {x509.UnknownAuthorityError{}, true}, "another host": {x509.HostnameError{}, true},
		"no TLS": {tls.RecordHeaderError{}, true}, "an outage": {errors.New("refused"), false},
	} {
		if got := IsUntrustedRedis(c.err); got != c.want {
			t.Errorf("%s: got %t", name, got)
		}
	}
}

// The detail names the master only for a bad finding.
func TestTheWorstServerIsNamed(t *testing.T) {
	servers := []server{{"a:1", map[string]string{"maxmemory_policy": "noeviction"}}, {"b:2", map[string]string{"maxmemory_policy": "noeviction"}}}
	if got := findWorst(servers, checkEviction).Detail; got != "noeviction" {
		t.Errorf("of good ones: %s", got)
	}
	servers[1].info["maxmemory_policy"] = "allkeys-lru"
	if got := findWorst(servers, checkEviction).Detail; got != "b:2: allkeys-lru" {
		t.Errorf("of a bad one: %s", got)
	}
}

// Above four fifths of its limit, memory may be too small for an audience.
func TestMemoryThatIsNearlyFull(t *testing.T) {
	for used, want := range map[string]Grade{"80": Good, "81": Warning} {
		if got := checkMemory(map[string]string{"used_memory": used, "maxmemory": "100"}).Grade; got != want {
			t.Errorf("%s%%: %s, want %s", used, got, want)
		}
	}
}
