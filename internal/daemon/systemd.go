package daemon

import (
	"context"
	"log/slog"
	"time"

	"github.com/coreos/go-systemd/v22/daemon"
)

// notify tells systemd what we are at; without systemd (no NOTIFY_SOCKET) it does nothing.
func notify(log *slog.Logger, state string) {
	if _, err := daemon.SdNotify(false, state); err != nil {
		log.Warn("tell systemd", "state", state, "error", err)
	}
}

// watchdog tells systemd that we live: a process that is frozen, or gets no CPU, falls silent. It turns while the work drains
// too, and returns when ctx ends.
func watchdog(ctx context.Context, log *slog.Logger) {
	interval := watchdogInterval(log)
	if interval <= 0 {
		return
	}
	ticker := time.NewTicker(interval)
	defer ticker.Stop()
	for {
		notify(log, daemon.SdNotifyWatchdog)
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
		}
	}
}

// watchdogInterval is half of what systemd asks for; zero without a watchdog.
func watchdogInterval(log *slog.Logger) time.Duration {
	interval, err := daemon.SdWatchdogEnabled(false)
	if err != nil {
		log.Warn("read systemd's watchdog interval", "error", err)
	}
	return interval / 2
}
