package main

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"

	"fanfare/fcmsim"
)

// The test binary acts as the program if this is set.
const asProgram = "FCMSIM_TEST_AS_PROGRAM"

func TestMain(m *testing.M) {
	if os.Getenv(asProgram) != "" {
		main()
	}
	os.Exit(m.Run())
}

// program starts fcmsim. It returns what is printed first, and a function that stops it and returns
// the rest.
func program(t *testing.T, args ...string) (ready map[string]string, stop func() []byte) {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), os.Args[0], args...)
	cmd.Env = append(os.Environ(), asProgram+"=1")
	cmd.Stderr = os.Stderr
	pipe, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	out := bufio.NewReader(pipe)
	line, err := out.ReadBytes('\n')
	if err != nil {
		t.Fatalf("no addresses: %v", err)
	}
	if err := json.Unmarshal(line, &ready); err != nil {
		t.Fatalf("%s: %v", line, err)
	}
	return ready, func() []byte {
		t.Helper()
		if err := cmd.Process.Signal(syscall.SIGTERM); err != nil {
			t.Fatal(err)
		}
		rest, _ := out.ReadBytes('\n')
		if err := cmd.Wait(); err != nil {
			t.Fatalf("exit: %v", err)
		}
		return rest
	}
}

func send(t *testing.T, endpoint, token string) int {
	t.Helper()
	res, err := http.Post(endpoint+"/projects/demo/messages:send", "application/json", strings.NewReader(`{"message":{"token":"`+token+`"}}`))
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	return res.StatusCode
}

func TestProgramServesAndCounts(t *testing.T) {
	dir := t.TempDir()
	rules, ca, account := filepath.Join(dir, "rules.json"), filepath.Join(dir, "ca.pem"), filepath.Join(dir, "account.json")
	if err := os.WriteFile(rules, []byte(`{"latency":"1h","prefixes":{"vip-":{"code":"INTERNAL"}}}`), 0o600); err != nil {
		t.Fatal(err)
	}
	ready, stop := program(t, "--rules", rules, "--latency", "1ms", "--ca-file", ca, "--credentials-file", account)
	for _, key := range []string{"tls", "http", "token", "admin"} {
		if !strings.Contains(ready[key], "://127.0.0.1:") {
			t.Errorf("%s: %q", key, ready[key])
		}
	}
	if ready["caFile"] != ca {
		t.Errorf("CA file %q", ready["caFile"])
	}
	for _, file := range []string{ca, account} {
		if data, err := os.ReadFile(file); err != nil || len(data) == 0 {
			t.Errorf("%s: %d bytes, %v", file, len(data), err)
		}
	}
	for token, want := range map[string]int{"a": 200, "b": 200, "vip-1": 500, "dead-1": 404} {
		if got := send(t, ready["http"], token); got != want {
			t.Errorf("%s: %d, want %d", token, got, want)
		}
	}
	var counts fcmsim.Counts
	if rest := stop(); json.Unmarshal(rest, &counts) != nil || counts.Requests != 4 || counts.Accepted != 2 || counts.Codes["UNREGISTERED"] != 1 {
		t.Errorf("counts at exit: %s", rest)
	}
}

func TestProgramRefusesWrongUsage(t *testing.T) {
	broken := filepath.Join(t.TempDir(), "rules.json")
	if err := os.WriteFile(broken, []byte(`{"outcome":[]}`), 0o600); err != nil {
		t.Fatal(err)
	}
	empty := filepath.Join(t.TempDir(), "timeline.json")
	if err := os.WriteFile(empty, []byte(`[]`), 0o600); err != nil {
		t.Fatal(err)
	}
	tests := map[string]struct {
		args []string
		code int
	}{
		"unknown flag":      {[]string{"--fast"}, exitUsage},
		"unknown field":     {[]string{"--rules", broken}, exitUsage},
		"rules: open":       {[]string{"--rules", broken + "x"}, exitUsage},
		"--latency":         {[]string{"--latency", "soon"}, exitUsage},
		"speed":             {[]string{"--speed", "-1"}, exitUsage},
		"perMinute":         {[]string{"--quota", "-1"}, exitUsage},
		"and 1000000000":    {[]string{"--quota", "1000000001"}, exitUsage},
		"and 24h":           {[]string{"--latency", "25h"}, exitUsage},
		"and 720h":          {[]string{"--token-lifetime", "721h"}, exitUsage},
		"up to 1000":        {[]string{"--speed", "1001"}, exitUsage},
		"no steps":          {[]string{"--timeline", empty}, exitUsage},
		"ledger":            {[]string{"--ledger", "all"}, exitUsage},
		"unknown command":   {[]string{"serve"}, exitUsage},
		"listen for TLS":    {[]string{"--listen-tls", "127.0.0.1:-1"}, exitFault},
		"write CA file":     {[]string{"--ca-file", filepath.Join(broken, "ca.pem")}, exitFault},
		"write credentials": {[]string{"--credentials-file", filepath.Join(broken, "a.json")}, exitFault},
	}
	for what, tt := range tests {
		var stdout, stderr bytes.Buffer
		if code := run(t.Context(), tt.args, &stdout, &stderr); code != tt.code || !strings.Contains(stderr.String(), what) {
			t.Errorf("%v: exit %d, %s", tt.args, code, stderr.String())
		}
		if stdout.Len() > 0 {
			t.Errorf("%v: prints %s", tt.args, stdout.String())
		}
	}
}

// The help names every flag, code and prefix.
func TestHelpIsComplete(t *testing.T) {
	var stdout, stderr bytes.Buffer
	if code := run(t.Context(), []string{"--help"}, &stdout, &stderr); code != 0 {
		t.Fatalf("exit %d: %s", code, stderr.String())
	}
	words := slices.Concat(fcmsim.Codes(), fcmsim.TokenFaults(), fcmsim.HandshakeFaults())
	for _, want := range append(words, append(fcmsim.Prefixes(), "--listen-tls", "--listen-http", "--admin", "--ca-file",
		"--latency", "--rules", "--quota", "--speed", "--timeline", "--seed", "--ledger",
		"/admin/rules", "/admin/timeline", "/admin/counts", "/admin/trace", "/admin/ledger")...) {
		if !strings.Contains(stdout.String(), want) {
			t.Errorf("nothing about %s", want)
		}
	}
}

// The limits are printed on stderr, with the length of a minute; stdout is for programs.
func TestProgramTellsItsLimits(t *testing.T) {
	timeline := filepath.Join(t.TempDir(), "storm.json")
	const storm = `{"repeat":"2m","steps":[{"at":"0s","rules":{}},{"at":"90s","rules":{"outcomes":[{"code":"OVERLOADED","share":1}]}}]}`
	if err := os.WriteFile(timeline, []byte(storm), 0o600); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel() // so that it starts and ends at once
	for _, tt := range []struct {
		args []string
		want []string
	}{
		{nil, []string{"no quota"}},
		{[]string{"--quota", "600000", "--speed", "10", "--timeline", timeline}, []string{
			"600000 messages a minute for each project", "speed 10: a minute of these limits takes 6s, an hour 6m0s",
			"a timeline of 2 steps until 1m30s, again every 2m0s",
		}},
	} {
		var stdout, stderr bytes.Buffer
		if code := run(ctx, tt.args, &stdout, &stderr); code != 0 {
			t.Fatalf("%v: exit %d, %s", tt.args, code, stderr.String())
		}
		if got := strings.Count(stderr.String(), "\n"); got != len(tt.want) {
			t.Errorf("%v: %d lines: %s", tt.args, got, stderr.String())
		}
		for _, want := range tt.want {
			if !strings.Contains(stderr.String(), want) {
				t.Errorf("%v: nothing of %q in %s", tt.args, want, stderr.String())
			}
		}
	}
}

// Flags apply to the steps that do not set them.
func TestFlagsHoldInATimeline(t *testing.T) {
	file := filepath.Join(t.TempDir(), "timeline.json")
	const steps = `[{"at":"0s","rules":{}},{"at":"1s","rules":{"latency":"1s","quota":{"perMinute":7}}}]`
	if err := os.WriteFile(file, []byte(steps), 0o600); err != nil {
		t.Fatal(err)
	}
	flags, err := newFlagRules("50ms", 600)
	if err != nil {
		t.Fatal(err)
	}
	timeline, err := readTimeline(file, flags)
	if err != nil {
		t.Fatal(err)
	}
	for i, want := range []struct {
		latency string
		quota   int
	}{{"50ms", 600}, {"1s", 7}} {
		if got := timeline.Steps[i].Rules; got.Latency.String() != want.latency || got.Quota.PerMinute != want.quota {
			t.Errorf("step %d: %+v", i+1, got)
		}
	}
}

// full is a writer that is full.
type full struct{}

func (full) Write([]byte) (int, error) { return 0, syscall.ENOSPC }

func TestTextThatCannotBePrinted(t *testing.T) {
	for _, args := range [][]string{{"--help"}, {"--version"}, {"--listen-tls", "off"}} {
		var stderr bytes.Buffer
		if code := run(t.Context(), args, full{}, &stderr); code != exitFault || !strings.Contains(stderr.String(), "print output: no space left on device") {
			t.Errorf("%v: exit code %d, saying %q", args, code, stderr.String())
		}
	}
}

// The timeline of docs/simulator.md closes the project once, and then lets it recover.
func TestExampleTimelineGatesAndRecovers(t *testing.T) {
	timeline, err := readTimeline("../../examples/timeline.json", flagRules{})
	if err != nil {
		t.Fatal(err)
	}
	var gates []int
	for i, step := range timeline.Steps {
		for _, o := range step.Rules.Outcomes {
			if o.Code == fcmsim.CodeQuotaExceeded && o.RetryAfter != "" {
				gates = append(gates, i)
			}
		}
	}
	last := len(timeline.Steps) - 1
	if len(gates) != 1 || gates[0] == 0 || gates[0] == last || len(timeline.Steps[last].Rules.Outcomes) > 0 {
		t.Errorf("429 in steps %v of %d: want it in one, and sound steps around it", gates, len(timeline.Steps))
	}
}
