package access_test

import (
	"fmt"
	"strings"

	"fanfare/internal/access"
	"fanfare/internal/keys"
)

// The error names the command that grants what is missing.
func ExampleError() {
	err := &access.Error{Patterns: []string{"user:*"}, Keyless: []string{"scan"}, User: "dispatcher"}
	fmt.Println(strings.ReplaceAll(err.Error(), "; ", "\n"))
	// Output:
	// no access to the keys user:*
	// no permission for scan
	// grant it in Redis with: ACL SETUSER dispatcher ~user:* +scan
}

// A program that looks up tokens needs two families of keys.
func ExampleTokens() {
	for _, family := range access.Tokens(keys.Default()) {
		fmt.Println(family.Pattern, family.Commands())
	}
	// Output:
	// user:* [DEL EXISTS GET HDEL HGETALL HSET PTTL SET TYPE]
	// {user:* [DEL EXISTS GET HDEL HGETALL HSET PTTL SET TYPE]
}
