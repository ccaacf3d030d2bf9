package servers

import (
	"fmt"
	"os"
	"testing"

	"go.uber.org/goleak"
)

// Main runs the tests of a package over the programs and a PostgreSQL, which take seconds to make
// and are made once. It is a package's TestMain, and never returns.
func Main(m *testing.M, programs **Programs, postgres **PostgresServer) {
	err := prepare(programs, postgres)
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	goleak.VerifyTestMain(m, goleak.IgnoreCurrent(), goleak.Cleanup(func(code int) {
		(*postgres).Stop()
		(*programs).Remove()
		os.Exit(code)
	}))
}

func prepare(programs **Programs, postgres **PostgresServer) (err error) {
	if *programs, err = BuildPrograms(); err != nil {
		return err
	}
	if *postgres, err = StartPostgres(PostgresOptions{}); err != nil {
		(*programs).Remove()
	}
	return err
}
