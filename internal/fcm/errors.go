package fcm

import "fmt"

// FieldError says which field of a message FCM would refuse, and why.
type FieldError struct {
	// Field is the full path, such as message.android.notification.color or message.data["key"].
	Field string
	// Problem completes the sentence "<field>: …".
	Problem string
}

func (e *FieldError) Error() string { return e.Field + ": " + e.Problem }

// CredentialsError says that no access token can be had with the credentials given.
type CredentialsError struct {
	// Source tells where the credentials come from: a file's path, or "application default credentials".
	Source string
	Err    error
}

func (e *CredentialsError) Error() string {
	return fmt.Sprintf("credentials from %s: %v", e.Source, e.Err)
}

func (e *CredentialsError) Unwrap() error { return e.Err }
