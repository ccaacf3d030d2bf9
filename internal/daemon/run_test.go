package daemon

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"os/exec"
	"runtime/debug"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"go.uber.org/goleak"
)

// waitUntilDone fails the test if a context does not end.
func waitUntilDone(ctx context.Context, t *testing.T) {
	t.Helper()
	select {
	case <-ctx.Done():
	case <-time.After(2 * time.Minute):
		t.Error("still not ended")
	}
}

func TestFirstSignalEndsFetchingOnly(t *testing.T) {
	signals := make(chan os.Signal, 2)
	err := Run(t.Context(), Options{Logger: discardLogger(), Signals: signals, DrainTimeout: time.Hour}, func(p *Process) error {
		signals <- syscall.SIGTERM
		waitUntilDone(p.FetchCtx(), t)
		return p.WorkCtx().Err()
	})
	if err != nil {
		t.Errorf("the work was cut off: %v", err)
	}
}

func TestSecondSignalEndsTheWork(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		signals := make(chan os.Signal, 2)
		err := Run(t.Context(), Options{Logger: discardLogger(), Signals: signals, DrainTimeout: time.Hour}, func(p *Process) error {
			signals <- syscall.SIGTERM
			waitUntilDone(p.FetchCtx(), t)
			signals <- syscall.SIGTERM // a supervisor signals the process and its group
			<-time.After(sameSignalInterval)
			if p.WorkCtx().Err() != nil {
				t.Error("two signals within a moment ended the work")
			}
			signals <- syscall.SIGINT
			waitUntilDone(p.WorkCtx(), t)
			return context.Cause(p.WorkCtx())
		})
		if !errors.Is(err, ErrSecondSignal) {
			t.Errorf("got %v", err)
		}
	})
}

// The time is that of the synctest bubble.
func TestDrainIsBounded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const drain = 30 * time.Second
		signals := make(chan os.Signal, 2)
		err := Run(t.Context(), Options{Logger: discardLogger(), Signals: signals, DrainTimeout: drain}, func(p *Process) error {
			signals <- syscall.SIGTERM
			waitUntilDone(p.FetchCtx(), t)
			began := time.Now()
			waitUntilDone(p.WorkCtx(), t)
			if took := time.Since(began); took != drain {
				t.Errorf("the work had %s", took)
			}
			return context.Cause(p.WorkCtx())
		})
		if !errors.Is(err, ErrDrainTimeout) {
			t.Errorf("got %v", err)
		}
	})
}

// Callers rely on it whose rooms have a timeout of their own.
func TestWithoutDrainOnlyASecondSignalEndsTheWork(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		signals := make(chan os.Signal, 2)
		err := Run(t.Context(), Options{Logger: discardLogger(), Signals: signals}, func(p *Process) error {
			signals <- syscall.SIGTERM
			waitUntilDone(p.FetchCtx(), t)
			select {
			case <-p.WorkCtx().Done():
				return context.Cause(p.WorkCtx())
			case <-time.After(24 * time.Hour):
				return nil
			}
		})
		if err != nil {
			t.Errorf("got %v", err)
		}
	})
}

func TestEndOfTheContextIsAFirstSignal(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	err := Run(ctx, Options{Logger: discardLogger(), Signals: make(chan os.Signal)}, func(p *Process) error {
		cancel()
		waitUntilDone(p.FetchCtx(), t)
		return p.WorkCtx().Err()
	})
	if err != nil {
		t.Errorf("the work was cut off: %v", err)
	}
}

func TestTheLastOpenedIsClosedFirst(t *testing.T) {
	var closed []string
	workFailed, redisFailed := errors.New("work"), errors.New("still in use")
	err := Run(t.Context(), Options{Logger: discardLogger(), Signals: make(chan os.Signal)}, func(p *Process) error {
		for _, name := range []string{"redis", "store", "sender"} {
			p.OnStop(name, func(ctx context.Context) error {
				closed = append(closed, name)
				if name == "redis" {
					return redisFailed
				}
				return ctx.Err()
			})
		}
		return WithExitCode(ExitCredentials, workFailed)
	})
	if want := []string{"sender", "store", "redis"}; !slices.Equal(closed, want) {
		t.Errorf("closed %q, want %q", closed, want)
	}
	if !errors.Is(err, workFailed) || !errors.Is(err, redisFailed) || !strings.Contains(err.Error(), "close redis: still in use") {
		t.Errorf("got %v", err)
	}
	if ExitCode(err) != ExitCredentials {
		t.Errorf("exit code %d", ExitCode(err))
	}
}

// A clean-up that ignores its context does not block the end, and the error names it.
func TestHangingCleanupTimesOut(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		held := make(chan struct{})
		began := time.Now()
		err := Run(t.Context(), Options{Logger: discardLogger(), Signals: make(chan os.Signal)}, func(p *Process) error {
			p.OnStop("redis", func(context.Context) error {
				t.Error("what the other may stand on was closed below it")
				return nil
			})
			p.OnStop("sender", func(context.Context) error {
				<-held
				return nil
			})
			return nil
		})
		close(held)
		if took := time.Since(began); took != CleanupTimeout {
			t.Errorf("it took %s, want %s", took, CleanupTimeout)
		}
		if !errors.Is(err, ErrCleanupTimeout) || !strings.Contains(err.Error(), "close sender: ") || !strings.Contains(err.Error(), "close redis: ") {
			t.Errorf("got %v", err)
		}
	})
}

// Some operators read nothing but the log.
func TestTheLogSaysWhyTheProgramEnded(t *testing.T) {
	for name, c := range map[string]struct {
		err  error
		want string
	}{
		"well":        {nil, `level=INFO msg=stopped program=p code=0` + "\n"},
		"work left":   {WithExitCode(ExitLeftover, errors.New("work is left")), `level=INFO msg=stopped program=p code=75 error="work is left"` + "\n"},
		"a fault":     {errors.New("connection refused"), `level=ERROR msg=stopped program=p code=1 error="connection refused"` + "\n"},
		"credentials": {WithExitCode(ExitCredentials, errors.New("NOAUTH")), `level=ERROR msg=stopped program=p code=3 error=NOAUTH` + "\n"},
	} {
		var log strings.Builder
		o := Options{Name: "p", Logger: slog.New(slog.NewTextHandler(&log, nil)), Signals: make(chan os.Signal)}
		if err := Run(t.Context(), o, func(*Process) error { return c.err }); !errors.Is(err, c.err) {
			t.Errorf("%s: got %v", name, err)
		}
		if !strings.HasSuffix(log.String(), c.want) {
			t.Errorf("%s: the log says\n%swant at its end\n%s", name, log.String(), c.want)
		}
	}
}

// The test runs its own binary as a daemon and sends it SIGTERM twice.
func TestProcessUnderRealSignals(t *testing.T) {
	child := exec.CommandContext(t.Context(), os.Args[0])
	child.Env = append(os.Environ(), childVariable+"=1")
	out, err := child.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := child.Start(); err != nil {
		t.Fatal(err)
	}
	lines := bufio.NewScanner(out)
	says := func(want string) {
		t.Helper()
		if !lines.Scan() || lines.Text() != want {
			t.Fatalf("the child says %q, want %q", lines.Text(), want)
		}
	}
	terminate := func() {
		t.Helper()
		if err := child.Process.Signal(syscall.SIGTERM); err != nil {
			t.Fatal(err)
		}
	}
	says("ready")
	terminate()
	says("fetching ended")
	ticker := time.NewTicker(100 * time.Millisecond)
	defer ticker.Stop()
	ended := make(chan struct{})
	var repeater sync.WaitGroup
	repeater.Go(func() { // repeat until it counts as the second signal
		for {
			select {
			case <-ended:
				return
			case <-ticker.C:
				_ = child.Process.Signal(syscall.SIGTERM) // it may just have ended
			}
		}
	})
	defer repeater.Wait()
	defer close(ended)
	says("work ended: " + ErrSecondSignal.Error())
	exit, ok := errors.AsType[*exec.ExitError](child.Wait())
	if !ok || exit.ExitCode() != ExitLeftover {
		t.Errorf("the child ended with %v", exit)
	}
}

func TestExitCodes(t *testing.T) {
	plain := errors.New("plain")
	for name, c := range map[string]struct {
		err  error
		want int
	}{
		"none":            {nil, ExitOK},
		"any":             {plain, ExitFault},
		"decided":         {WithExitCode(ExitNoCampaign, plain), ExitNoCampaign},
		"wrapped":         {errors.Join(plain, WithExitCode(ExitUsage, plain)), ExitUsage},
		"outermost rules": {WithExitCode(ExitStopped, WithExitCode(ExitFault, plain)), ExitStopped},
		"code alone":      {WithExitCode(ExitLeftover, nil), ExitLeftover},
	} {
		if got := ExitCode(c.err); got != c.want {
			t.Errorf("%s: code %d, want %d", name, got, c.want)
		}
	}
	if err := WithExitCode(ExitFault, plain); !errors.Is(err, plain) || err.Error() != "plain" {
		t.Errorf("the error is hidden: %v", err)
	}
}

// childVariable makes the test binary a daemon, so that the test can send it real signals.
const childVariable = "DAEMON_TEST_CHILD"

func TestMain(m *testing.M) {
	if os.Getenv(childVariable) != "" {
		os.Exit(ExitCode(runChild()))
	}
	goleak.VerifyTestMain(m)
}

// runChild obeys signals and reports on standard output.
func runChild() error {
	options := Options{Name: "child", Logger: discardLogger()}
	return Run(context.Background(), options, func(p *Process) error {
		fmt.Println("ready")
		<-p.FetchCtx().Done()
		fmt.Println("fetching ended")
		<-p.WorkCtx().Done()
		fmt.Println("work ended:", context.Cause(p.WorkCtx()))
		return WithExitCode(ExitLeftover, errors.New("work is left"))
	})
}

func discardLogger() *slog.Logger { return slog.New(slog.DiscardHandler) }

func TestVersionNamesTheCommit(t *testing.T) {
	for want, settings := range map[string][]debug.BuildSetting{
		"v1.2.0 (go1.26.8)":                         nil,
		"v1.2.0 (3f2a91c0d4e5, go1.26.8)":           {{Key: "vcs.revision", Value: "3f2a91c0d4e5f60718293a4b5c6d7e8f90a1b2c3"}},
		"v1.2.0 (3f2a91c0d4e5, modified, go1.26.8)": {{Key: "vcs.revision", Value: "3f2a91c0d4e5f60718293a4b5c6d7e8f90a1b2c3"}, {Key: "vcs.modified", Value: "true"}},
	} {
		info := &debug.BuildInfo{GoVersion: "go1.26.8", Main: debug.Module{Version: "v1.2.0"}, Settings: settings}
		if got := version(info); got != want {
			t.Errorf("got %q, want %q", got, want)
		}
	}
	if got := Version(); !strings.Contains(got, "go1.") {
		t.Errorf("this test was built from %q", got)
	}
}
