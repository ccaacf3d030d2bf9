package deploy

import (
	"math"
	"strconv"
	"strings"
	"testing"
	"time"

	"fanfare/internal/config"
	"fanfare/internal/daemon"
)

// dispatcherStop is how long a dispatcher may take to stop: the drain, a lease for the last
// outcomes, and what is closed after it.
func dispatcherStop(s config.Settings) time.Duration {
	return s.Dispatcher.Drain + s.Queue.Lease + daemon.CleanupTimeout
}

func responderStop(s config.Settings) time.Duration { return s.Responder.Drain + daemon.CleanupTimeout }

// fcmStart is how long a dispatcher may take until its start counts as done: an access token and a
// connection, 10 s each. It waits out an outage of FCM after that.
const fcmStart = 20 * time.Second

const (
	// systemdStart is systemd's own limit, where a unit sets none.
	systemdStart = 90 * time.Second
	endless      = time.Duration(math.MaxInt64)
)

// startTimeout is after how long systemd gives a start up.
func startTimeout(t *testing.T, unit map[string][]string) time.Duration {
	t.Helper()
	switch text := first(unit["TimeoutStartSec"]); text {
	case "":
		return systemdStart
	case "infinity":
		return endless
	default:
		limit, err := time.ParseDuration(text)
		if err != nil {
			t.Error(err)
		}
		return limit
	}
}

// checkMemory wants Go to know of the limit that the program is killed at. What it does not count,
// such as the program itself, takes some thirty megabytes.
func checkMemory(t *testing.T, environ []string, limit string) {
	t.Helper()
	soft := ""
	for _, variable := range environ {
		if value, found := strings.CutPrefix(variable, "GOMEMLIMIT="); found {
			soft = value
		}
	}
	collects, kills := mebibytes(t, soft), mebibytes(t, limit)
	if 4*collects > 3*kills || 2*collects < kills {
		t.Errorf("Go keeps to %s, and is killed at %s: want a half to three quarters of it", soft, limit)
	}
}

// mebibytes reads a size as Go writes it, such as 192MiB.
func mebibytes(t *testing.T, text string) int {
	t.Helper()
	digits, _ := strings.CutSuffix(text, "MiB")
	size, err := strconv.Atoi(digits)
	if err != nil {
		t.Errorf("memory %q: %v", text, err)
	}
	return size
}
