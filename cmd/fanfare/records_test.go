package main

import (
	"context"
	"encoding/json"
	"strings"

	"github.com/rogpeppe/go-internal/testscript"

	"fanfare/internal/notification"
	"fanfare/internal/store"
)

// recordResults makes "results FILE", which writes results, one a line, to the database of the
// script as a responder does.
func recordResults(ctx context.Context) func(*testscript.TestScript, bool, []string) {
	return func(ts *testscript.TestScript, neg bool, args []string) {
		if neg || len(args) != 1 {
			ts.Fatalf("usage: results FILE")
		}
		db, err := store.Open(ctx, "sqlite:"+ts.MkAbs("fanfare.db"), store.Options{})
		ts.Check(err)
		defer db.Close()
		ts.Check(db.Migrate(ctx))
		var results []notification.Result
		for line := range strings.Lines(ts.ReadFile(args[0])) {
			var r notification.Result
			ts.Check(json.Unmarshal([]byte(line), &r))
			results = append(results, r)
		}
		ts.Check(db.Apply(ctx, results))
	}
}
