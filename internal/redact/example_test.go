package redact_test

import (
	"fmt"

	"fanfare/internal/redact"
)

func ExampleText() {
	fmt.Println(redact.Text("dial redis://app:hunter2@localhost:6379: refused"))
	// Output: dial redis://app:[redacted]@localhost:6379: refused
}

func ExampleSecret() {
	password := redact.Secret("hunter2")
	fmt.Println(password, password.Reveal())
	// Output: [redacted] hunter2
}
