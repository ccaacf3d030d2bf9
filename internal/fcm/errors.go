package fcm

import (
	"fmt"

	"fanfare/internal/redact"
)

// CredentialsError says that no access token can be had with the credentials given.
type CredentialsError struct {
	// Source tells where the credentials come from: a file's path, or "application default credentials".
	Source string
	Err    error
}

func (e *CredentialsError) Error() string {
	return redact.Text(fmt.Sprintf("credentials from %s: %v", e.Source, e.Err))
}

func (e *CredentialsError) Unwrap() error { return e.Err }
