package wire

import (
	"errors"

	"fanfare/internal/checks"
	"fanfare/internal/daemon"
	"fanfare/internal/fcm"
	"fanfare/internal/redisx"
	"fanfare/internal/store"
)

// Explain gives an error of Redis, SQL or FCM the exit code of what it asks for; one that has a code already keeps it.
func Explain(err error) error {
	if _, decided := errors.AsType[*daemon.ExitError](err); err == nil || decided {
		return err
	}
	_, credentials := errors.AsType[*fcm.CredentialsError](err)
	refusal := store.RefusalOf(err)
	switch {
	case credentials, redisx.Denied(err), refusal == store.Denied:
		return daemon.Exit(daemon.ExitCredentials, err)
	case checks.UntrustedRedis(err), fcm.Untrusted(err), refusal != 0:
		return daemon.Exit(daemon.ExitUsage, err)
	}
	return err
}
