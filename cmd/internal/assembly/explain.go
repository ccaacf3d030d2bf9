package assembly

import (
	"errors"

	"fanfare/internal/checks"
	"fanfare/internal/daemon"
	"fanfare/internal/redisx"
	"fanfare/internal/store"
)

// Explain gives an error of Redis or SQL the exit code of what it asks for; one that has a code already keeps it.
func AssignExitCode(err error) error {
	if _, decided := errors.AsType[*daemon.ExitError](err); err == nil || decided {
		return err
	}
	refusal := store.RefusalOf(err)
	switch {
	case redisx.Denied(err), refusal == store.Denied:
		return daemon.WithExitCode(daemon.ExitCredentials, err)
	case checks.UntrustedRedis(err), refusal != 0:
		return daemon.WithExitCode(daemon.ExitUsage, err)
	}
	return err
}
