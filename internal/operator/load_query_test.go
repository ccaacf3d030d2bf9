package operator

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	"fanfare/internal/audience"
	"fanfare/internal/campaign"
	"fanfare/internal/notification"
	"fanfare/internal/store"
	"fanfare/test/servers"
)

// withRows gives the operator a database with n rows, which outcomes are. Their key is user_id.
func (f fixture) withRows(url string, n int) *store.Store {
	f.Helper()
	var results []notification.Result
	for i := range n {
		r := failedTo(fmt.Sprintf("u%05d", i), i)
		r.Attempts = i%3 + 1
		results = append(results, r)
	}
	db := f.withRecords(url, results...)
	f.deps.Queries = db
	return db
}

const everyRow = "SELECT user_id, error_code AS code, attempts, token_removed AS removed, message_id FROM fanfare_deliveries"

// An audience from a query has each row once. Columns become members and vars, with their types.
func TestLoadQuery(t *testing.T) {
	for name, url := range map[string]string{"sqlite": "sqlite:" + t.TempDir() + "/fanfare.db", "postgres": servers.Postgres(t)} {
		t.Run(name, func(t *testing.T) {
			f := open(t)
			f.withRows(url, 3500)
			query := Query{SQL: everyRow, Key: "user_id"}
			summary, err := f.LoadQuery(t.Context(), "42", query, LoadOptions{Where: condition(t, `attempts == 1`)})
			ok(t, err)
			equal(t, "loaded", summary.Loaded, 1167)
			equal(t, "left out", summary.LeftOut, LeftOut{Filtered: 2333})
			list := f.list("campaign:42")
			removed := map[string]string{"sqlite": "0", "postgres": "false"}[name]
			equal(t, "second", list[1], `{"userId":"u00003","vars":{"attempts":1,"code":"UNAVAILABLE","message_id":"","removed":`+removed+`}}`)

			_, err = f.LoadQuery(t.Context(), "42", query, LoadOptions{})
			if !errors.Is(err, campaign.ErrAudienceExists) {
				t.Errorf("a second load: %v", err)
			}
			summary, err = f.LoadQuery(t.Context(), "42", query, LoadOptions{Append: true, Skip: 3000})
			ok(t, err)
			equal(t, "loaded behind those skipped", summary.Loaded, 500)
			equal(t, "elements", len(f.list("campaign:42")), 1167+500)
		})
	}
}

// What cannot be an audience is refused before anything is loaded.
func TestLoadQueryRefuses(t *testing.T) {
	f := open(t)
	_, err := f.LoadQuery(t.Context(), "42", Query{SQL: everyRow, Key: "user_id"}, LoadOptions{})
	if !errors.Is(err, ErrNoDatabase) {
		t.Errorf("without a database: %v", err)
	}
	f.withRows("sqlite:"+t.TempDir()+"/fanfare.db", 10)
	for _, c := range []struct{ query, key, want string }{
		{"SELECT error_code AS customer_id, user_id AS member FROM fanfare_deliveries", "member", "no column is called userId: its columns are customer_id, member; customer_id is probably it: select customer_id AS user_id"},
		{everyRow + " WHERE false", "user_id", "it has no recipients: nothing was loaded"},
		{everyRow, "code", "key code is not unique: several rows have UNAVAILABLE: nothing is loaded"},
		{"SELECT user_id, random() AS n FROM fanfare_deliveries", "n", "key: n is not the same when the query is read again"},
		{"SELECT '' AS user_id, 1 AS n", "n", "no line is a recipient"},
	} {
		summary, err := f.LoadQuery(t.Context(), "42", Query{SQL: c.query, Key: c.key}, LoadOptions{})
		mentions(t, err, c.want)
		for _, row := range summary.Errors {
			equal(t, "row", row.Error(), "n 1: userId is empty")
		}
	}
	equal(t, "elements", len(f.list("campaign:42")), 0)
}

// Rows with equal keys stop a load before the first of them.
func TestLoadQueryStopsAtEqualKeys(t *testing.T) {
	f := open(t)
	db := f.withRows("sqlite:"+t.TempDir()+"/fanfare.db", 4000)
	ok(t, db.Apply(t.Context(), []notification.Result{failedTo("u02500", 9999)}))
	query := Query{SQL: everyRow, Key: "user_id"}
	_, err := f.LoadQuery(t.Context(), "42", query, LoadOptions{})
	broken, is := errors.AsType[*InterruptedError](err)
	if !is || broken.Done != 2500 {
		t.Fatalf("got %v", err)
	}
	mentions(t, err, "key user_id is not unique: several rows have u02500: the first 2500 recipients are loaded")
	if _, is := errors.AsType[*audience.KeyError](err); !is {
		t.Errorf("got %v", err)
	}
	equal(t, "last", f.list("campaign:42")[2499][:19], `{"userId":"u02499",`)
}

// An interrupted load continues behind its last row, although rows before it have come and gone.
func TestLoadQueryIsGoneOnWith(t *testing.T) {
	for name, url := range map[string]string{"sqlite": "sqlite:" + t.TempDir() + "/fanfare.db", "postgres": servers.Postgres(t)} {
		t.Run(name, func(t *testing.T) {
			f := open(t)
			db := f.withRows(url, 10_000)
			query := Query{SQL: everyRow, Key: "user_id"}
			ctx, interrupt := context.WithCancel(t.Context())
			_, err := f.LoadQuery(ctx, "42", query, LoadOptions{Progress: func(n int64) {
				if n == 3000 {
					interrupt()
				}
			}})
			if broken, is := errors.AsType[*InterruptedError](err); !is || broken.Done != 3000 {
				t.Fatalf("got %v", err)
			}
			early, late := failedTo("u00000x", 1), failedTo("u05000x", 2)
			early.At, late.At = time.Now(), time.Now()
			ok(t, db.Apply(t.Context(), []notification.Result{early, late}))
			other := query
			other.SQL += " WHERE user_id > 'u00000'"
			if _, err := f.LoadQuery(t.Context(), "42", other, LoadOptions{}); !errors.Is(err, campaign.ErrAudienceExists) {
				t.Errorf("another query: %v", err)
			}
			summary, err := f.LoadQuery(t.Context(), "42", query, LoadOptions{})
			ok(t, err)
			equal(t, "passed", summary.Passed, 3000)
			equal(t, "loaded", summary.Loaded, 7001)
			seen := make(map[string]bool)
			for _, element := range f.list("campaign:42") {
				seen[element] = true
			}
			equal(t, "different elements", len(seen), 10_001)
			equal(t, "elements", len(f.list("campaign:42")), 10_001)
		})
	}
}
