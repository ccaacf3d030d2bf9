package assembly

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5/pgconn"
	"github.com/redis/go-redis/v9"

	"fanfare/internal/config"
	"fanfare/internal/daemon"
	"fanfare/internal/keys"
	"fanfare/internal/store"
	"fanfare/internal/tokens"
	"fanfare/test/servers"
)

// A missing write permission shows before the responder takes any result.
func TestTheDatabaseIsCheckedForWrites(t *testing.T) {
	for clear, want := range map[string]bool{"off": true, "UPDATE nowhere SET token = NULL WHERE id = $1 AND token = $2": false} {
		rooms := openRooms(t, func(s *config.Settings) {
			s.Store.DatabaseURL = config.URL("sqlite:" + t.TempDir() + "/a.db")
			s.Store.TokenQuery, s.Store.TokenClear = "off", config.Statement(clear)
		})
		if err := rooms.prepareDatabase(t.Context()); (err == nil) != want {
			t.Errorf("%s: %v", clear, err)
		}
	}
}

// The dispatcher starts during an outage of the database, and logs it.
func TestQueriesOfADatabaseThatIsAway(t *testing.T) {
	var log bytes.Buffer
	rooms := openRooms(t, func(s *config.Settings) { s.Store.DatabaseURL = config.URL("postgres://u@" + "127.0.0.1:1" + "/d") })
	rooms.Logger = slog.New(slog.NewTextHandler(&log, nil))
	if err := rooms.CheckQueries(t.Context()); err != nil || !strings.Contains(log.String(), "database is unavailable") {
		t.Errorf("%v, logged %s", err, log.String())
	}
}

func TestTokensAreRestoredInSQLByASetting(t *testing.T) {
	for restore, want := range map[config.Statement]bool{"off": false, "UPDATE users SET fcm_token = $2 WHERE id = $1 AND fcm_token IS NULL": true} {
		rooms := openRooms(t, func(s *config.Settings) {
			s.Store.DatabaseURL, s.Store.TokenRestore = config.URL("sqlite:"+t.TempDir()+"/a.db"), restore
		})
		if got := rooms.Tokens.CanRestoreSQL(); got != want {
			t.Errorf("%q: %t", restore, got)
		}
	}
}

// These options follow from two settings each.
func TestBreakerOptionsFollowTwoSettings(t *testing.T) {
	s := config.Defaults()
	s.Queue.Lease, s.Retry.Outage, s.Retry.MaxBackoff = 100*time.Millisecond, time.Minute, 5*time.Minute
	if o := breakerOptions(s); o.Lease != time.Second || o.Probe != time.Minute || o.LongestProbe != 5*time.Minute {
		t.Errorf("got %+v", o)
	}
	s.Queue.Lease, s.Retry.MaxBackoff = time.Minute, time.Second
	if o := breakerOptions(s); o.Lease != time.Minute || o.LongestProbe != time.Minute {
		t.Errorf("got %+v", o)
	}
}

// tokens.keep_removed: 0s keeps no copies. The rooms take 0 for their default.
func TestNoCopiesOfRemovedTokens(t *testing.T) {
	for keep, want := range map[time.Duration]time.Duration{0: tokens.KeepNone, time.Hour: time.Hour} {
		if got := tokenOptions(config.Tokens{KeepRemoved: keep}).KeepTTL; got != want {
			t.Errorf("tokens.keep_removed %s is %s, want %s", keep, got, want)
		}
	}
}

func TestAssignExitCode(t *testing.T) {
	for name, c := range map[string]struct {
		err  error
		want int
	}{
		"denied by SQL":     {&pgconn.PgError{Code: "42501"}, daemon.ExitCredentials},
		"no such database":  {&pgconn.PgError{Code: "3D000"}, daemon.ExitUsage},
		"a setting of SQL":  {&store.SettingError{Setting: "store.token_clear", Err: errors.New("no table")}, daemon.ExitUsage},
		"denied by Redis":   {redisError("NOPERM User default has no permissions"), daemon.ExitCredentials},
		"anything else":     {errors.New("x"), daemon.ExitFault},
		"nothing":           {nil, daemon.ExitOK},
		"what has its code": {daemon.WithExitCode(daemon.ExitStopped, redisError("NOPERM x")), daemon.ExitStopped},
	} {
		if got := daemon.ExitCode(AssignExitCode(c.err)); got != c.want {
			t.Errorf("%s: exit code %d, want %d", name, got, c.want)
		}
	}
}

// redisError is an error reply of Redis.
type redisError string

func (d redisError) Error() string { return string(d) }

func (redisError) RedisError() {}

// Such a policy deletes audiences as soon as someone sets a memory limit.
func TestEvictionPolicyCausesAWarning(t *testing.T) {
	var log bytes.Buffer
	addr := servers.Redis(t, "--maxmemory-policy", "allkeys-lru")
	rooms := openRooms(t, func(s *config.Settings) { s.Redis.URL = config.URL("redis://" + addr) })
	rooms.Logger = slog.New(slog.NewTextHandler(&log, nil))
	if err := rooms.checkRedis(t.Context()); err != nil || !strings.Contains(log.String(), "redis eviction: allkeys-lru") {
		t.Errorf("%v, logged %s", err, log.String())
	}
}

// The connections of the rooms close when the program stops.
func TestRoomsAreClosedWithTheirProgram(t *testing.T) {
	var left *Rooms
	d := newTestDaemon(false, nil)
	d.Start = func(_ *daemon.Process, rooms *Rooms) (func() error, error) {
		left = rooms
		return func() error { return nil }, nil
	}
	if err := d.run(t.Context(), newPatientSettings(servers.Redis(t)), slog.New(slog.DiscardHandler)); err != nil {
		t.Fatal(err)
	}
	if err := left.Redis.Ping(context.Background()).Err(); !errors.Is(err, redis.ErrClosed) {
		t.Errorf("Redis is still open: %v", err)
	}
}

// The settings and package keys both contain the contract's names.
func TestDefaultKeyNamesFollowTheContract(t *testing.T) {
	if got, want := keyNames(config.Defaults().Names), keys.Default(); got != want {
		t.Errorf("the settings' defaults are %+v, the contract's %+v", got, want)
	}
}
