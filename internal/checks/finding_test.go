package checks_test

import (
	"context"
	"errors"
	"fmt"

	"fanfare/internal/checks"
)

// An error is a failure, and a Caution is a warning with advice. One finding never stops the next.
func ExampleRun() {
	findings := checks.Run(context.Background(),
		checks.Probe{Name: "fcm credentials", Run: func(context.Context) (string, error) { return "", errors.New("no such file") }},
		checks.Probe{Name: "sql", Run: func(context.Context) (string, error) {
			return "", &checks.Caution{Problem: "passwords go in the clear", Advice: "add sslmode=verify-full"}
		}},
	)
	for _, f := range findings {
		fmt.Printf("%s %s: %s (advice: %q)\n", f.Grade, f.Name, f.Detail, f.Advice)
	}
	// Output:
	// failure fcm credentials: no such file (advice: "")
	// warning sql: passwords go in the clear (advice: "add sslmode=verify-full")
}
