// Package browser tests the console as people use it: the whole running system, in a real browser.
// Whatever a page says to the browser's console, loads from elsewhere or breaks of its own policy
// fails the test. The package has tests only.
package browser

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"testing"

	"github.com/chromedp/chromedp"

	"fanfare/test/servers"
)

// What takes seconds to make is made once: the programs, and the browser, in which each test has a
// tab with cookies of its own.
var (
	programs   *servers.Programs
	browserCtx context.Context
)

func TestMain(m *testing.M) {
	code, err := run(m)
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		code = 1
	}
	os.Exit(code)
}

func run(m *testing.M) (code int, err error) {
	if programs, err = servers.BuildPrograms(); err != nil {
		return 0, err
	}
	defer programs.Remove()
	stop, err := startBrowser()
	if err != nil {
		return 0, fmt.Errorf("start Chromium: %w; tools/test-servers.sh installs it or says how", err)
	}
	defer stop()
	return m.Run(), nil
}

// otherHost is a name of this machine that is no loopback name. Only the browser resolves it.
const otherHost = "console.test"

func startBrowser() (stop func(), err error) {
	options := append(chromedp.DefaultExecAllocatorOptions[:],
		chromedp.Flag("host-resolver-rules", "MAP "+otherHost+" 127.0.0.1"),
	)
	// Debian's small Chromium without windows is what tools/test-servers.sh installs. Any other
	// works, and takes several times the CPU.
	if path, err := exec.LookPath("chromium-headless-shell"); err == nil {
		options = append(options, chromedp.ExecPath(path))
	}
	if os.Geteuid() == 0 {
		options = append(options, chromedp.NoSandbox) // Chromium refuses to run as root otherwise
	}
	allocatorCtx, free := chromedp.NewExecAllocator(context.Background(), options...)
	ctx, leave := chromedp.NewContext(allocatorCtx)
	browserCtx, stop = ctx, func() { leave(); free() }
	if err := chromedp.Do(ctx); err != nil {
		stop()
		return nil, err
	}
	return stop, nil
}
