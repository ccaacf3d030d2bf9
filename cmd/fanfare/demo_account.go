package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"time"

	"fanfare/internal/operator"
)

// demoResult is the JSON of the demo.
type demoResult struct {
	Campaign operator.View        `json:"campaign"`
	Load     operator.LoadSummary `json:"load"`
	Pushes   int64                `json:"pushes"`
	Seconds  float64              `json:"seconds"`
	Rows     int64                `json:"rows"` // in SQL
}

// resultsPatience bounds the wait for the responder, once all is sent.
const resultsPatience = time.Minute

// account shows what came of it, and fails unless Redis' books balance and SQL says the same.
func (d *demo) account(ctx context.Context, loaded operator.LoadSummary, took time.Duration) error {
	view, err := d.op.Show(ctx, d.id)
	if err != nil {
		return err
	}
	waiting, stop := context.WithTimeout(ctx, resultsPatience)
	defer stop()
	if err := d.responder.AwaitDrained(waiting); err != nil {
		return fmt.Errorf("wait %s for the responder to write all results to SQL: %w", resultsPatience, err)
	}
	b := view.Books
	result := demoResult{Campaign: view, Load: loaded, Pushes: b.Sent + b.Failed, Seconds: took.Seconds(), Rows: b.Ended()}
	fmt.Fprintln(d.w)
	printOutcomes(d.w, b)
	fmt.Fprintf(d.w, "%s pushes in %s: %s a second\n", operator.Thousands(result.Pushes), took.Round(10*time.Millisecond), operator.Thousands(perSecond(result.Pushes, took)))
	printBooks(d.w, b)
	if !b.Balanced() {
		return errors.New("the books do not balance")
	}
	if err := d.compare(ctx, view); err != nil {
		return err
	}
	fmt.Fprintf(d.w, "sql:   %s rows, the same sums\n", operator.Thousands(result.Rows))
	if !d.c.asJSON {
		return nil
	}
	return d.c.output(d.command).show(result, func(io.Writer) {})
}

// compare holds the database's sums against the books.
func (d *demo) compare(ctx context.Context, view operator.View) error {
	summary, err := d.rooms.Store.Summary(ctx, d.id)
	if err != nil {
		return fmt.Errorf("read the summary in SQL: %w", err)
	}
	for status, n := range byStatus(view.Books) {
		if rows := summary.Counts[status]; rows != n {
			return fmt.Errorf("SQL has %d recipients %s, the books have %d", rows, status, n)
		}
	}
	return nil
}
