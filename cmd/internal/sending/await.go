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

// checker is the sender, as far as it tells whether it can send.
type checker interface {
	Check(ctx context.Context) error
}

// AwaitFCM returns when FCM can be reached and takes the credentials: nobody is claimed before somebody can be sent to. What only a
// person can mend ends it, with its exit code. An outage it waits out, since a restart would not shorten it; holding is called before
// the first wait, and should let the start count as done, or the supervisor would break it off. It returns nil as well when ctx ends.
func AwaitFCM(ctx context.Context, sender checker, log *slog.Logger, holding func()) error {
	for tries := 0; ctx.Err() == nil; tries++ {
		err := sender.Check(ctx)
		if err == nil {
			if tries > 0 {
				log.Info("FCM can be reached: campaigns are served")
			}
			return nil
		}
		if err := assignFatalExitCode(err); err != nil {
			return err
		}
		if tries == 0 && ctx.Err() == nil {
			log.Error("FCM cannot be reached: nothing is claimed until it can; fanfare check tells more", "error", err, "every", assembly.AwaitInterval)
			holding()
		}
		select {
		case <-ctx.Done():
		case <-time.After(assembly.AwaitInterval):
		}
	}
	return nil
}

// beyondWaiting gives an error of the sender that no waiting mends its exit code; nil is for an outage.
func assignFatalExitCode(err error) error {
	if _, refused := errors.AsType[*fcm.CredentialsError](err); refused {
		return daemon.WithExitCode(daemon.ExitCredentials, err)
	}
	if fcm.IsUntrusted(err) {
		return daemon.WithExitCode(daemon.ExitUsage, fmt.Errorf("%w; %s", err, trustAdvice))
	}
	return nil
}

// trustAdvice is what to do about a certificate that is not trusted.
const trustAdvice = "check fcm.endpoint, and name the authority that signed its certificate with fcm.ca_file"
