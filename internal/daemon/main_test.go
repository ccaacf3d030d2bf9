package daemon

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"testing"

	"go.uber.org/goleak"
)

// childVariable makes the test's program a daemon of its own, so that real signals can be sent to it.
const childVariable = "DAEMON_TEST_CHILD"

func TestMain(m *testing.M) {
	if os.Getenv(childVariable) != "" {
		os.Exit(ExitCode(runChild()))
	}
	goleak.VerifyTestMain(m)
}

// runChild is told what to do by signals alone, and tells of them on standard output.
func runChild() error {
	options := Options{Name: "child", Logger: silent()}
	return Run(context.Background(), options, func(p *Process) error {
		fmt.Println("ready")
		<-p.FetchCtx().Done()
		fmt.Println("fetching ended")
		<-p.WorkCtx().Done()
		fmt.Println("work ended:", context.Cause(p.WorkCtx()))
		return WithExitCode(ExitLeftover, errors.New("work is left"))
	})
}

func silent() *slog.Logger { return slog.New(slog.DiscardHandler) }
