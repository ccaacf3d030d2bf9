package sending

import (
	"errors"

	"fanfare/cmd/internal/assembly"
	"fanfare/internal/daemon"
	"fanfare/internal/fcm"
)

// Explain gives an error of FCM, Redis or SQL the exit code of what it asks for; one that has a code already keeps it.
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
