package servers

import (
	"fmt"
	"os"
	"testing"

	"go.uber.org/goleak"
)

// Main is the TestMain of a package of whole-system tests. What takes seconds to make is made once and handed to use:
// the programs, and a PostgreSQL in which each test has a database of its own. A goroutine that a test leaves behind
// fails the package.
func Main(m *testing.M, use func(*Programs, *PostgresServer)) {
	programs, err := BuildPrograms()
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	postgres, err := StartPostgres(PostgresOptions{})
	if err != nil {
		programs.Remove()
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	use(programs, postgres)
	goleak.VerifyTestMain(m, goleak.IgnoreCurrent(), goleak.Cleanup(func(code int) {
		postgres.Stop()
		programs.Remove()
		os.Exit(code)
	}))
}
