package assembly

import (
	"errors"
	"fmt"

	"fanfare/internal/access"
	"fanfare/internal/checks"
	"fanfare/internal/daemon"
	"fanfare/internal/redisx"
	"fanfare/internal/store"
)

// AssignExitCode gives an error of Redis or SQL its exit code. An error with a code keeps it.
func AssignExitCode(err error) error {
	if _, decided := errors.AsType[*daemon.ExitError](err); err == nil || decided {
		return err
	}
	refusal := store.RefusalOf(err)
	switch {
	case redisx.IsDenied(err), refusal == store.Denied:
		return daemon.WithExitCode(daemon.ExitCredentials, err)
	case checks.IsUntrustedRedis(err), refusal != 0:
		return daemon.WithExitCode(daemon.ExitUsage, err)
	}
	return err
}

// assignRedisExitCode gives an error of Redis its exit code and advice. A restart cures an outage,
// but neither refused credentials nor an untrusted certificate.
func assignRedisExitCode(err error) error {
	switch {
	case redisx.IsDenied(err):
		return daemon.WithExitCode(daemon.ExitCredentials, fmt.Errorf("%w; %s", err, checks.RedisAdvice(err)))
	case checks.IsUntrustedRedis(err):
		return daemon.WithExitCode(daemon.ExitUsage, fmt.Errorf("%w; %s", err, checks.RedisAdvice(err)))
	}
	return err
}

// assignDatabaseExitCode gives an error of the database its exit code and advice. Only errors that
// a restart may cure remain faults.
func assignDatabaseExitCode(err error) error {
	switch store.RefusalOf(err) {
	case store.Denied:
		return daemon.WithExitCode(daemon.ExitCredentials, fmt.Errorf("%w; check user and password in DATABASE_URL, and grant that user what docs/contract.md lists under \"The database\"", err))
	case store.Misconfigured:
		return daemon.WithExitCode(daemon.ExitUsage, fmt.Errorf("%w; check DATABASE_URL and the settings store.*", err))
	}
	return err
}

// AsSettingsError gives the error of a room's options the exit code for settings.
func AsSettingsError(err error) error {
	if err == nil {
		return nil
	}
	return daemon.WithExitCode(daemon.ExitUsage, fmt.Errorf("settings: %w", err))
}

// AsAccessError returns a denial with its exit code. It drops other errors, because an outage must
// not prevent the start.
func AsAccessError(err error) error {
	if _, denied := errors.AsType[*access.Error](err); denied {
		return daemon.WithExitCode(daemon.ExitCredentials, err)
	}
	return nil
}
