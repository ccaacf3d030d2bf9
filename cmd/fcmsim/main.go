// Command fcmsim simulates Firebase Cloud Messaging for tests and rehearsals.
package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"syscall"
	"time"

	"fanfare/fcmsim"
	"fanfare/internal/terminal"
)

// Exit codes of all programs of this module.
const (
	exitFault = 1
	exitUsage = 2
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGINT, syscall.SIGTERM)
	code := run(ctx, os.Args[1:], terminal.Stdout(), os.Stderr)
	stop()
	os.Exit(code)
}

func run(ctx context.Context, args []string, stdout, stderr io.Writer) int {
	out, errs := terminal.New(stdout), terminal.New(stderr)
	root := newCommand(func(s settings) error { return serve(ctx, s, out, errs) })
	root.SetArgs(args)
	root.SetOut(out)
	root.SetErr(errs)
	err := root.ExecuteContext(ctx)
	if err == nil {
		err = out.Err()
	}
	if err == nil {
		return 0
	}
	lost, unprinted := errors.AsType[*terminal.WriteError](err)
	if !unprinted || !lost.IsBrokenPipe() {
		fmt.Fprintln(errs, "fcmsim:", err)
	}
	if unprinted {
		return exitFault
	}
	if _, ok := errors.AsType[*serveError](err); ok {
		return exitFault
	}
	return exitUsage
}

// serveError is a fault of serving; every other error is one of usage.
type serveError struct{ error }

func (e *serveError) Unwrap() error { return e.error }

// serve prints the addresses when all listeners are ready, and the counts when ctx ends.
func serve(ctx context.Context, s settings, stdout, stderr io.Writer) error {
	sim, err := fcmsim.New(s.options)
	if err != nil {
		return err
	}
	srv, err := sim.Start(ctx, s.listen)
	if err != nil {
		return &serveError{err}
	}
	if err := writeCredentials(srv, s); err != nil {
		return &serveError{errors.Join(err, srv.Close())}
	}
	printLimits(stderr, s.options)
	out := json.NewEncoder(stdout)
	out.SetEscapeHTML(false)
	ready := struct {
		fcmsim.URLs
		CAFile string `json:"caFile,omitempty"`
	}{srv.URLs, srv.CAFile}
	if err := out.Encode(ready); err != nil {
		return &serveError{errors.Join(fmt.Errorf("print addresses: %w", err), srv.Close())}
	}
	<-ctx.Done()
	// Close first, so that the counts include all that was accepted.
	if err := errors.Join(srv.Close(), out.Encode(sim.Counts())); err != nil {
		return &serveError{err}
	}
	return nil
}

func writeCredentials(srv *fcmsim.Server, s settings) error {
	if s.credentialsFile == "" {
		return nil
	}
	file, err := srv.ServiceAccount(s.credentialsProject())
	if err != nil {
		return err
	}
	if err := os.WriteFile(s.credentialsFile, file, 0o600); err != nil {
		return fmt.Errorf("write credentials file: %w", err)
	}
	return nil
}

// printLimits prints the limits in force, and how long their minutes are in real time.
func printLimits(w io.Writer, o fcmsim.Options) {
	minute := time.Duration(float64(time.Minute) / o.Speed)
	quota, device := o.Rules.Quota, o.Rules.Device
	if quota.PerMinute == 0 {
		fmt.Fprintln(w, "fcmsim: no quota")
	} else {
		fmt.Fprintf(w, "fcmsim: %d messages a minute for each project, refilled %s after the clock's minute begins\n", quota.PerMinute, quota.Offset)
	}
	if device.PerMinute > 0 {
		fmt.Fprintf(w, "fcmsim: %d messages a minute for each device\n", device.PerMinute)
	}
	if device.PerHour > 0 {
		fmt.Fprintf(w, "fcmsim: %d messages an hour for each device\n", device.PerHour)
	}
	if o.Speed != 1 {
		fmt.Fprintf(w, "fcmsim: speed %g: a minute of these limits takes %s, an hour %s; all other times are real\n", o.Speed, minute, 60*minute)
	}
	if steps := o.Timeline.Steps; len(steps) > 0 {
		end := "once"
		if o.Timeline.Repeat > 0 {
			end = "again every " + o.Timeline.Repeat.String()
		}
		fmt.Fprintf(w, "fcmsim: a timeline of %d steps until %s, %s\n", len(steps), steps[len(steps)-1].At, end)
	}
}
