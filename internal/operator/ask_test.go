package operator

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"fanfare/internal/campaign"
	"fanfare/internal/keys"
	"fanfare/internal/notification"
	"fanfare/internal/store"
	"fanfare/internal/tokens"
)

// hanging is an SQL that gives no answers to some questions.
type hanging struct {
	Records

	sums, minutes, removed, choices, history, user bool
}

func hang(ctx context.Context) error { <-ctx.Done(); return ctx.Err() }

func (h hanging) Summary(ctx context.Context, id string) (store.Summary, error) {
	if h.sums {
		return store.Summary{}, hang(ctx)
	}
	return h.Records.Summary(ctx, id)
}

func (h hanging) Minutes(ctx context.Context, id string) ([]store.Minute, error) {
	if h.minutes {
		return nil, hang(ctx)
	}
	return h.Records.Minutes(ctx, id)
}

func (h hanging) RemovedTokens(ctx context.Context, id string) (int64, error) {
	if h.removed {
		return 0, hang(ctx)
	}
	return h.Records.RemovedTokens(ctx, id)
}

func (h hanging) Choices(ctx context.Context, id string) ([]store.ChoiceCount, error) {
	if h.choices {
		return nil, hang(ctx)
	}
	return h.Records.Choices(ctx, id)
}

func (h hanging) History(ctx context.Context, id string) ([]notification.HistoryEntry, error) {
	if h.history {
		return nil, hang(ctx)
	}
	return h.Records.History(ctx, id)
}

func (h hanging) UserDeliveries(ctx context.Context, user string, limit int) ([]notification.Result, error) {
	if h.user {
		return nil, hang(ctx)
	}
	return h.Records.UserDeliveries(ctx, user, limit)
}

// hangingSource is the same for tokens.
type hangingSource struct{}

func (hangingSource) Tokens(ctx context.Context, _ []string) (map[string]string, error) {
	return nil, hang(ctx)
}

const briefly = 50 * time.Millisecond

// A report has all that SQL answers in time, and says what it lacks.
func TestReportWhileSQLHangs(t *testing.T) {
	t.Parallel()
	f := open(t)
	db := f.withRecords("sqlite:"+t.TempDir()+"/fanfare.db", failedTo("u", 1))
	f.create("42", campaign.Running)
	read := func(id string, h hanging) *Report {
		t.Helper()
		h.Records, f.sqlTimeout = db, sqlTimeout
		if h != (hanging{Records: db}) {
			f.sqlTimeout = briefly
		}
		f.deps.Records = h
		r, err := f.Report(t.Context(), id)
		ok(t, err)
		return r
	}
	equal(t, "unread while SQL answers", len(read("41", hanging{}).Unread), 0)
	for what, c := range map[string]struct {
		id string
		h  hanging
	}{
		"outcomes by minute: no answer within 50ms":           {"42", hanging{minutes: true}},
		"removed tokens: no answer within 50ms":               {"42", hanging{removed: true}},
		"variants and languages: no answer within 50ms":       {"41", hanging{choices: true}},
		"older entries of the history: no answer within 50ms": {"42", hanging{history: true}},
	} {
		r := read(c.id, c.h)
		if strings.Join(r.Unread, "|") != what || r.Problem != nil || r.Written == nil {
			t.Errorf("unread %q, problem %v, want %q alone", r.Unread, r.Problem, what)
		}
		text, err := r.MarshalJSON()
		ok(t, err)
		if !strings.Contains(string(text), `"unread":["`+what+`"]`) {
			t.Errorf("JSON %s lacks %q", text, what)
		}
	}
	r := read("42", hanging{sums: true, minutes: true})
	mentions(t, r.Problem, "no answer within 50ms")
	if r.Written != nil || r.Minutes != nil || len(r.Unread) > 0 || r.Sources() != "Redis alone: SQL does not answer" {
		t.Errorf("report %+v of SQL that does not answer", r)
	}
}

// A user's token and profile in Redis are shown while SQL hangs, and what it was asked for is said.
func TestUserWhileSQLHangs(t *testing.T) {
	t.Parallel()
	f := open(t)
	db := f.withRecords("sqlite:" + t.TempDir() + "/fanfare.db")
	f.deps.Records, f.sqlTimeout = hanging{Records: db, user: true}, briefly
	ok(t, f.rdb.Set(t.Context(), "user:u:token", "fGx1abcdefghijklmnop:APA91bHun4MxP5egoKMwt2", 0).Err())
	ok(t, f.rdb.Set(t.Context(), "profile:u", `{"city":"Hue"}`, 0).Err())
	u, err := f.User(t.Context(), "u", 10)
	mentions(t, err, "no answer within 50ms")
	mentions(t, u.OutcomesErr, "no answer within 50ms")
	if u.Token.IsZero() || u.TokenErr != nil || string(u.Profile["city"]) != `"Hue"` || !u.Recorded {
		t.Errorf("user %+v, want the token and the profile", u)
	}
	asked, err := tokens.New(f.rdb, keys.Default(), hangingSource{}, tokens.Options{})
	ok(t, err)
	f.deps.Tokens = asked
	u, _ = f.User(t.Context(), "v", 10)
	mentions(t, u.TokenErr, "no answer within 50ms")
	equal(t, "problem of the profile", u.ProfileErr, nil)
}

// A user is known without a database, but for the outcomes.
func TestUserWithoutSQL(t *testing.T) {
	t.Parallel()
	f := open(t)
	ok(t, f.rdb.Set(t.Context(), "user:u:token", "fGx1abcdefghijklmnop:APA91bHun4MxP5egoKMwt2", 0).Err())
	u, err := f.User(t.Context(), "u", 10)
	ok(t, err)
	if u.Token.IsZero() || u.Recorded || u.Outcomes != nil || u.OutcomesErr != nil {
		t.Errorf("user %+v, want the token, and no word of outcomes", u)
	}
	text, err := UserView{User: u}.MarshalJSON()
	ok(t, err)
	if !strings.Contains(string(text), `"recorded":false,"outcomes":[]`) {
		t.Errorf("JSON %s", text)
	}
}

// A caller that leaves is no slow SQL.
func TestAskTogetherEndsWithItsCaller(t *testing.T) {
	t.Parallel()
	f := open(t)
	ctx, leave := context.WithCancel(t.Context())
	asked := make(chan struct{})
	go func() { <-asked; leave() }()
	errs := f.askTogether(ctx, func(ctx context.Context) error { close(asked); return hang(ctx) }, func(context.Context) error { return nil })
	if !errors.Is(errs[0], context.Canceled) || errs[1] != nil {
		t.Errorf("errors %v", errs)
	}
}
