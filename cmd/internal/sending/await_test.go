package sending

import (
	"bytes"
	"context"
	"crypto/x509"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"fanfare/cmd/internal/assembly"
	"fanfare/internal/daemon"
	"fanfare/internal/fcm"
)

// outage is a sender that fails until a time.
type outage struct {
	ends time.Time
	err  error
}

func (o outage) Check(context.Context) error {
	if time.Now().Before(o.ends) {
		return o.err
	}
	return nil
}

// A restart does not shorten an outage. The start counts as done, and nothing is claimed until FCM
// is back.
func TestStartWaitsForFCM(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var log bytes.Buffer
		waits := 0
		began := time.Now()
		sender := outage{began.Add(time.Hour), errors.New("connection refused")}
		err := AwaitFCM(t.Context(), sender, slog.New(slog.NewTextHandler(&log, nil)), func() { waits++ })
		if waited := time.Since(began); err != nil || waited < time.Hour || waited > time.Hour+assembly.AwaitInterval || waits != 1 {
			t.Errorf("%v after %s, onWait was called %d times", err, waited, waits)
		}
		if said := log.String(); strings.Count(said, "connection refused") != 1 || !strings.Contains(said, "FCM is reachable") {
			t.Errorf("logged %s", said)
		}
	})
}

func TestAStopEndsTheWaitForFCM(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, stop := context.WithTimeout(t.Context(), time.Minute)
		defer stop()
		began := time.Now()
		sender := outage{began.Add(time.Hour), errors.New("connection refused")}
		if err := AwaitFCM(ctx, sender, slog.New(slog.DiscardHandler), func() {}); err != nil || time.Since(began) != time.Minute {
			t.Errorf("%v after %s", err, time.Since(began))
		}
	})
}

// Errors that only a person can fix end the wait.
func TestStartFailsOnFCMErrorsThatNeedAPerson(t *testing.T) {
	for name, c := range map[string]struct {
		err  error
		code int
		says string
	}{
		"refused credentials":  {&fcm.CredentialsError{Source: "key.json", Err: errors.New("invalid_grant")}, daemon.ExitCredentials, "key.json"},
		"an unknown authority": {fmt.Errorf("connect: %w", x509.UnknownAuthorityError{}), daemon.ExitUsage, "fcm.ca_file"},
	} {
		err := AwaitFCM(t.Context(), outage{time.Now().Add(time.Hour), c.err}, slog.New(slog.DiscardHandler), func() { t.Errorf("%s: holds", name) })
		if daemon.ExitCode(err) != c.code || !strings.Contains(err.Error(), c.says) {
			t.Errorf("%s: exit code %d by %v, want %d", name, daemon.ExitCode(err), err, c.code)
		}
	}
}
