package main

import (
	"context"
	"strconv"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"

	"fanfare/fcmsim"
)

// simKey is where a script keeps its simulator.
type simKey struct{}

// startSimulator makes "simulator", which points the script's FCM_ENDPOINT at a simulator of its own.
func startSimulator(t *testing.T) func(*testscript.TestScript, bool, []string) {
	return func(ts *testscript.TestScript, neg bool, args []string) {
		if neg || len(args) > 0 {
			ts.Fatalf("usage: simulator")
		}
		sim, err := fcmsim.New(fcmsim.Options{})
		ts.Check(err)
		server, err := sim.Start(context.WithoutCancel(t.Context()), fcmsim.Listen{TLS: fcmsim.Off, Admin: fcmsim.Off})
		ts.Check(err)
		ts.Defer(func() { ts.Check(server.Close()) })
		ts.Setenv("FCM_ENDPOINT", server.URLs.HTTP)
		*ts.Value(simKey{}).(**fcmsim.Simulator) = sim
	}
}

// validated N fails unless the script's simulator has found so many messages good that were only to be validated, and has
// accepted none.
func validated(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 1 {
		ts.Fatalf("usage: validated N")
	}
	counts := (*ts.Value(simKey{}).(**fcmsim.Simulator)).Counts()
	if got := strconv.FormatInt(counts.Validated, 10); got != args[0] || counts.Accepted > 0 {
		ts.Fatalf("%s validated, %d accepted; want %s and none", got, counts.Accepted, args[0])
	}
}
