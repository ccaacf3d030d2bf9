package assembly

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/jackc/pgx/v5/pgconn"

	"fanfare/internal/daemon"
	"fanfare/internal/store"
)

// failUntil returns a check of a database that is down until a time.
func failUntil(until time.Time, err error) func(context.Context) error {
	return func(context.Context) error {
		if time.Now().Before(until) {
			return err
		}
		return nil
	}
}

func TestStartWaitsForTheDatabase(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var log bytes.Buffer
		waits := 0
		began := time.Now()
		err := awaitDatabase(t.Context(), failUntil(began.Add(time.Hour), context.DeadlineExceeded), slog.New(slog.NewTextHandler(&log, nil)), func() { waits++ })
		if waited := time.Since(began); err != nil || waited < time.Hour || waited > time.Hour+AwaitInterval || waits != 1 {
			t.Errorf("%v after %s, onWait was called %d times", err, waited, waits)
		}
		if said := log.String(); strings.Count(said, "database is unusable") != 1 || !strings.Contains(said, "writing results") {
			t.Errorf("logged %s", said)
		}
	})
}

func TestAStopEndsTheWaitForTheDatabase(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, stop := context.WithTimeout(t.Context(), time.Minute)
		defer stop()
		began := time.Now()
		err := awaitDatabase(ctx, failUntil(began.Add(time.Hour), context.DeadlineExceeded), slog.New(slog.DiscardHandler), func() {})
		if err != nil || time.Since(began) != time.Minute {
			t.Errorf("%v after %s", err, time.Since(began))
		}
	})
}

func TestStartFailsOnDatabaseErrorsThatNeedAPerson(t *testing.T) {
	for err, code := range map[error]int{
		&pgconn.PgError{Code: "28P01"}: daemon.ExitCredentials,
		&pgconn.PgError{Code: "42501"}: daemon.ExitCredentials,
		&pgconn.PgError{Code: "3D000"}: daemon.ExitUsage,
		&store.SettingError{Setting: "store.token_clear", Err: errors.New("no table")}:         daemon.ExitUsage,
		&store.SettingError{Setting: "store.token_clear", Err: &pgconn.PgError{Code: "42501"}}: daemon.ExitCredentials,
		&store.TablesError{Err: errors.New("no table"), Advice: "restore it"}:                  daemon.ExitUsage,
		&pgconn.PgError{Code: "XX000"}: daemon.ExitFault,
	} {
		got := awaitDatabase(t.Context(), failUntil(time.Now().Add(time.Hour), err), slog.New(slog.DiscardHandler), func() { t.Error("holds") })
		if daemon.ExitCode(got) != code || !errors.Is(got, err) {
			t.Errorf("exit code %d by %v, want %d", daemon.ExitCode(got), got, code)
		}
	}
}
