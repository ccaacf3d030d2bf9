package operator

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"slices"
	"strings"
	"testing"
	"time"

	"fanfare/internal/audience"
	"fanfare/internal/campaign"
	"fanfare/internal/notification"
	"fanfare/internal/store"
	"fanfare/test/servers"
)

// withRecords gives the operator a database with results.
func (f fixture) withRecords(url string, results ...notification.Result) *store.Store {
	f.Helper()
	db, err := store.Open(f.Context(), url, store.Options{})
	ok(f.T, err)
	f.Cleanup(func() { _ = db.Close() })
	ok(f.T, db.Migrate(f.Context()))
	for some := range slices.Chunk(results, 1000) { // as a responder does; one call has a time limit
		ok(f.T, db.Apply(f.Context(), some))
	}
	f.deps.Records = db
	return db
}

func failedTo(user string, n int) notification.Result {
	return notification.Result{
		CampaignID: "41", UserID: user, ResultID: fmt.Sprint(n), Status: notification.StatusFailed, ErrorCode: "UNAVAILABLE",
		Attempts: 1, At: time.Date(2026, 3, 4, 5, 6, 7, 0, time.UTC),
	}
}

// An audience from SQL has each user once, however many pages and outcomes there are.
func TestLoadFromRecords(t *testing.T) {
	for name, url := range map[string]string{"sqlite": "sqlite:" + t.TempDir() + "/fanfare.db", "postgres": servers.Postgres(t)} {
		t.Run(name, func(t *testing.T) {
			f := open(t)
			var results []notification.Result
			for i := range 12_000 {
				results = append(results, failedTo(fmt.Sprintf("u%05d", i/2), i))
			}
			f.withRecords(url, results...)
			summary, err := f.LoadFrom(t.Context(), "42", "41", store.Filter{Code: "UNAVAILABLE"}, LoadOptions{})
			ok(t, err)
			equal(t, "loaded", summary.Loaded, 6000)
			list := f.list("campaign:42")
			equal(t, "first", list[0], `{"userId":"u00000"}`)
			equal(t, "last", list[5999], `{"userId":"u05999"}`)

			_, err = f.LoadFrom(t.Context(), "43", "41", store.Filter{Status: notification.StatusSkipped}, LoadOptions{})
			mentions(t, err, "no outcome with the status skipped", "nothing was loaded")
			equal(t, "keys of a refused load", len(f.list("campaign:43")), 0)
			_, err = f.LoadFrom(t.Context(), "43", "99", store.Filter{}, LoadOptions{})
			if !errors.Is(err, campaign.ErrNotFound) {
				t.Errorf("an unknown campaign: %v", err)
			}
		})
	}
}

// An error of SQL in the middle interrupts a load, which names what is loaded.
func TestLoadFromRecordsThatBreak(t *testing.T) {
	f := open(t)
	f.withRecords("sqlite:"+t.TempDir()+"/fanfare.db", failedTo("u", 1))
	f.deps.Records = breaking{f.deps.Records}
	_, err := f.LoadFrom(t.Context(), "42", "41", store.Filter{}, LoadOptions{})
	broken, is := errors.AsType[*InterruptedError](err)
	if !is || broken.Done != 1500 {
		t.Errorf("got %v", err)
	}
	mentions(t, err, "SQL is gone")
}

// SQL has the outcomes of a campaign, whatever is wrong with its spec.
func TestOutcomesOfABrokenCampaign(t *testing.T) {
	t.Parallel()
	f := open(t)
	f.withRecords("sqlite:" + t.TempDir() + "/fanfare.db")
	ok(t, f.rdb.HSet(t.Context(), "{campaign:42}:spec", "state", "odd").Err())
	_, err := f.Outcomes(t.Context(), "42", store.Filter{})
	ok(t, err)
	if _, err := f.Outcomes(t.Context(), "43", store.Filter{}); !errors.Is(err, campaign.ErrNotFound) {
		t.Errorf("an unknown campaign: %v", err)
	}
}

// breaking are records whose stream breaks off.
type breaking struct{ Records }

func (breaking) CampaignDeliveries(context.Context, string, store.Filter) iter.Seq2[notification.Result, error] {
	return func(yield func(notification.Result, error) bool) {
		for i := range 1500 {
			if !yield(failedTo(fmt.Sprint(i), i), nil) {
				return
			}
		}
		yield(notification.Result{}, errors.New("SQL is gone"))
	}
}

func TestFiltersThatMatchNothingAreRefused(t *testing.T) {
	for _, c := range [][2]string{{"lost", ""}, {"SENT", ""}, {"", "A\nB"}} {
		if _, err := ParseFilter(c[0], c[1]); err == nil {
			t.Errorf("%q is accepted", c)
		}
	}
	f, err := ParseFilter("failed", "UNAVAILABLE")
	ok(t, err)
	equal(t, "filter", f, store.Filter{Status: notification.StatusFailed, Code: "UNAVAILABLE"})
}

// No cell begins as a formula does, and each can be read back.
func TestCellsAreNoFormulas(t *testing.T) {
	seen := map[string]string{}
	for _, text := range []string{"", "u1", "=1+1", "+1555", "-5", "@SUM(A1)", "'", "'=1", "''", "a=b", "\t=1", "\r\n=1", "ü", "\u202eevil", "=\n1"} {
		cell := GuardCell(text)
		if cell != "" && strings.ContainsAny(cell[:1], "=+-@\t\r\n") || strings.ContainsAny(cell, "\r\n\t\u202e") {
			t.Errorf("%q becomes %q", text, cell)
		}
		if other, twice := seen[cell]; twice {
			t.Errorf("%q and %q are one cell", text, other)
		}
		seen[cell] = text
	}
}

// failingWriter fails after some bytes.
type failingWriter struct{ left int }

func (w *failingWriter) Write(p []byte) (int, error) {
	if w.left -= len(p); w.left < 0 {
		return 0, errors.New("device is full")
	}
	return len(p), nil
}

// An export ends with the first error of its output, and reads no further.
func TestExportStopsWithItsOutput(t *testing.T) {
	for _, format := range []audience.Format{audience.CSV, audience.NDJSON} {
		read := 0
		endless := func(yield func(notification.Result, error) bool) {
			for yield(failedTo("u", read), nil) {
				read++
			}
		}
		_, err := WriteOutcomes(&failingWriter{left: 3 * exportBuffer}, format, endless)
		mentions(t, err, "device is full")
		if read > 100_000 {
			t.Errorf("%s: %d rows were read", format, read)
		}
	}
	_, err := WriteOutcomes(&failingWriter{}, audience.CSV, func(func(notification.Result, error) bool) {})
	mentions(t, err, "device is full")
	_, err = WriteOutcomes(&failingWriter{left: 99}, "xml", nil)
	mentions(t, err, "xml")
}

// A user's token is shortened unless it is revealed, and a failing source hides nothing else.
func TestUserIsShown(t *testing.T) {
	f := open(t)
	const token = "fGx1abcdefghijklmnop:APA91bHun4MxP5egoKMwt2"
	ok(t, f.rdb.Set(t.Context(), "user:u:token", token, 0).Err())
	ok(t, f.rdb.LPush(t.Context(), "profile:u", "no object").Err())
	f.withRecords("sqlite:"+t.TempDir()+"/fanfare.db", failedTo("u", 1), failedTo("u", 2), failedTo("v", 3))
	u, err := f.User(t.Context(), "u", 1)
	ok(t, err)
	equal(t, "outcomes", len(u.Outcomes), 1)
	equal(t, "more", u.More, true)
	equal(t, "shown", UserView{User: u}.TokenText(), notification.Abbreviate(token))
	equal(t, "revealed", UserView{User: u, Reveal: true}.TokenText(), token)
	dead := notification.ParseToken("dead" + token)
	ok(t, f.rdb.Set(t.Context(), "user:u:token", dead.Value, 0).Err())
	_, err = f.deps.Tokens.Forget(t.Context(), "u", dead, "41")
	ok(t, err)
	ok(t, f.rdb.Set(t.Context(), "user:u:token", token, 0).Err())
	u, err = f.User(t.Context(), "u", 1)
	ok(t, err)
	if len(u.Removed) != 1 || !u.Removed[0].Token.IsSame(dead) || u.Removed[0].Campaign != "41" {
		t.Errorf("removed %+v, want the dead token of campaign 41", u.Removed)
	}
	text, err := UserView{User: u}.MarshalJSON()
	ok(t, err)
	if strings.Contains(string(text), token) {
		t.Errorf("the token is in %s", text)
	}
	views := UserView{User: u}
	equal(t, "removed", len(views.RemovedViews()), 1)
	equal(t, "kinds", views.RemovedViews()[0].Kind+" "+views.DeviceViews()[0].Kind, "token token")
	ok(t, f.rdb.HSet(t.Context(), "user:u:devices", "fid-of-the-phone-22-ch", `{"kind":"fid","lastUse":"2031-01-02T10:00:00Z"}`).Err())
	u, err = f.User(t.Context(), "u", 1)
	ok(t, err)
	equal(t, "kind of the newest", UserView{User: u}.DeviceViews()[0].Kind, "fid")
}
