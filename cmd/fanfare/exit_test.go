package main

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"

	"fanfare/internal/audience"
	"fanfare/internal/campaign"
	"fanfare/internal/checks"
	"fanfare/internal/daemon"
	"fanfare/internal/operator"
)

// A load that broke off says which command continues it.
func TestHowToGoOnWithALoad(t *testing.T) {
	for name, c := range map[string]struct {
		broken operator.InterruptedError
		code   int
		want   string
	}{
		"interrupted": {
			operator.InterruptedError{Err: context.Canceled, Done: 3000}, daemon.ExitLeftover,
			"context canceled: the first 3000 recipients are loaded; continue with: fanfare load 42 a.csv",
		},
		"Redis went away": {
			operator.InterruptedError{Err: errors.New("EOF"), Done: 3000, Unsure: 1000}, daemon.ExitFault,
			"EOF: the first 3000 recipients are loaded, and perhaps the next 1000; continue with: fanfare load 42 a.csv",
		},
		"deleted meanwhile": {
			operator.InterruptedError{Err: campaign.ErrDeleted, Done: 3000}, daemon.ExitFault,
			"campaign was deleted while it was loaded, or another load has taken over: the first 3000 recipients are loaded",
		},
		"cancelled meanwhile": {
			operator.InterruptedError{Err: &campaign.TransitionError{ID: "42", From: campaign.Cancelled, To: campaign.Running}, Done: 3000}, daemon.ExitFault,
			"campaign 42 is cancelled for good, and cannot become running: the first 3000 recipients are loaded",
		},
	} {
		err := explain(explainInterruptedLoad(&c.broken, "42", "a.csv", operator.LoadOptions{}))
		if err.Error() != c.want || daemon.ExitCode(err) != c.code {
			t.Errorf("%s: got %d %v\nwant %d %s", name, daemon.ExitCode(err), err, c.code, c.want)
		}
	}
}

// The command that continues a load has the same flags for the file's format.
func TestALoadGoesOnAsItBegan(t *testing.T) {
	for want, c := range map[string]struct {
		file audience.Source
		opts operator.LoadOptions
	}{
		"fanfare load 42 a.csv":                                    {audience.Source{Name: "a.csv", Format: audience.CSV}, operator.LoadOptions{}},
		"fanfare load 42 a.txt":                                    {audience.Source{Name: "a.txt", Format: audience.Sniffed}, operator.LoadOptions{}},
		"fanfare load 42 - --format csv":                           {audience.Source{Name: "-", Format: audience.CSV}, operator.LoadOptions{}},
		"fanfare load 42 a.csv --format ndjson":                    {audience.Source{Name: "a.csv", Format: audience.NDJSON}, operator.LoadOptions{}},
		"fanfare load 42 a --separator ';'":                        {audience.Source{Name: "a", Format: audience.CSV, Separator: ';'}, operator.LoadOptions{}},
		"fanfare load 42 a.csv --separator tab":                    {audience.Source{Name: "a.csv", Format: audience.CSV, Separator: '\t'}, operator.LoadOptions{}},
		"fanfare load 42 a.csv --append":                           {audience.Source{Name: "a.csv", Format: audience.CSV}, operator.LoadOptions{Append: true}},
		"fanfare load 42 a --format csv --append --skip 3000":      {audience.Source{Name: "a", Format: audience.CSV}, operator.LoadOptions{Skip: 2000}},
		"fanfare load 42 'a b' --separator , --append --skip 3000": {audience.Source{Name: "a b", Format: audience.CSV, Separator: ','}, operator.LoadOptions{Skip: 1, Append: true}},
	} {
		files := loadFiles{sources: []audience.Source{c.file}}
		err := explainInterruptedLoad(&operator.InterruptedError{Err: errors.New("EOF"), Done: 3000}, "42", files.words(), c.opts)
		if got := strings.TrimPrefix(err.Error(), "EOF: the first 3000 recipients are loaded; continue with: "); got != want {
			t.Errorf("got %q, want %q", got, want)
		}
	}
}

func TestInterruptedCommandsLeaveWork(t *testing.T) {
	if code := daemon.ExitCode(explain(fmt.Errorf("replay: %w", context.Canceled))); code != daemon.ExitLeftover {
		t.Errorf("exit code %d, want %d", code, daemon.ExitLeftover)
	}
	if explain(nil) != nil {
		t.Error("no error was explained")
	}
}

// Refused credentials take precedence over wrong settings in either order. Another fault beside
// them changes nothing.
func TestTheExitCodeOfACheck(t *testing.T) {
	failure := func(code int) checks.Finding {
		return checks.Finding{Name: "x", Grade: checks.Failure, Cause: daemon.WithExitCode(code, errors.New("x"))}
	}
	usage, credentials, fault := failure(daemon.ExitUsage), failure(daemon.ExitCredentials), checks.Finding{Name: "x", Grade: checks.Failure}
	for want, all := range map[int][][]checks.Finding{
		daemon.ExitOK:          {{}, {{Grade: checks.Warning}}},
		daemon.ExitFault:       {{fault}},
		daemon.ExitUsage:       {{usage}, {fault, usage}, {usage, fault}},
		daemon.ExitCredentials: {{credentials}, {credentials, usage}, {usage, credentials}, {credentials, fault}},
	} {
		for _, findings := range all {
			if got := daemon.ExitCode(failureOf(findings)); got != want {
				t.Errorf("%v: exit code %d, want %d", findings, got, want)
			}
		}
	}
}

func TestExitCodesOfErrors(t *testing.T) {
	for name, c := range map[string]struct {
		err  error
		want int
	}{
		"denied":       {denied("NOPERM User x has no permissions"), daemon.ExitCredentials},
		"no campaign":  {campaign.ErrNotFound, daemon.ExitNoCampaign},
		"wrong input":  {&campaign.SpecError{}, daemon.ExitUsage},
		"no recipient": {operator.ErrNoRecipient, daemon.ExitUsage},
		"a full Redis": {denied("OOM command not allowed"), daemon.ExitFault},
	} {
		if got := daemon.ExitCode(explain(c.err)); got != c.want {
			t.Errorf("%s: exit code %d, want %d", name, got, c.want)
		}
	}
}

// denied is an error reply of Redis.
type denied string

func (d denied) Error() string { return string(d) }

func (denied) RedisError() {}
