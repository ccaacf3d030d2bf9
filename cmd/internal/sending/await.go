package sending

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"fanfare/cmd/internal/assembly"
	"fanfare/internal/daemon"
	"fanfare/internal/fcm"
)

// checker checks whether messages can be sent. The sender implements it.
type checker interface {
	Check(ctx context.Context) error
}

// AwaitFCM waits until FCM is reachable and accepts the credentials, so that no recipient is
// claimed too early. It also returns nil when ctx ends.
//
// It waits through an outage, since a restart would not shorten that. Before the first wait it
// calls onWait, which should report the start as done, or the supervisor would abort it. An error
// that only a person can fix ends the wait, with its exit code.
func AwaitFCM(ctx context.Context, sender checker, log *slog.Logger, onWait func()) error {
	for tries := 0; ctx.Err() == nil; tries++ {
		err := sender.Check(ctx)
		if err == nil {
			if tries > 0 {
				log.Info("FCM is reachable; serving campaigns")
			}
			return nil
		}
		if err := assignFatalExitCode(err); err != nil {
			return err
		}
		if tries == 0 && ctx.Err() == nil {
			log.Error("FCM is unreachable; nothing is claimed until it recovers (see fanfare check)", "error", err, "every", assembly.AwaitInterval)
			onWait()
		}
		select {
		case <-ctx.Done():
		case <-time.After(assembly.AwaitInterval):
		}
	}
	return nil
}

// assignFatalExitCode gives an error that only a person can fix its exit code. For an outage it
// returns nil.
func assignFatalExitCode(err error) error {
	if _, refused := errors.AsType[*fcm.CredentialsError](err); refused {
		return daemon.WithExitCode(daemon.ExitCredentials, err)
	}
	if fcm.IsUntrusted(err) {
		return daemon.WithExitCode(daemon.ExitUsage, fmt.Errorf("%w; %s", err, trustAdvice))
	}
	return nil
}

// trustAdvice is the advice on an untrusted certificate.
const trustAdvice = "check fcm.endpoint, and set fcm.ca_file to the authority that signed its certificate"

// AssignExitCode gives an error of FCM, Redis or SQL its exit code. An error with a code keeps it.
func AssignExitCode(err error) error {
	if _, decided := errors.AsType[*daemon.ExitError](err); err == nil || decided {
		return err
	}
	if _, credentials := errors.AsType[*fcm.CredentialsError](err); credentials {
		return daemon.WithExitCode(daemon.ExitCredentials, err)
	}
	if fcm.IsUntrusted(err) {
		return daemon.WithExitCode(daemon.ExitUsage, err)
	}
	return assembly.AssignExitCode(err)
}
