package api

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"reflect"
	"strings"
	"testing"
	"time"

	"fanfare/internal/audience"
	"fanfare/internal/campaign"
	"fanfare/internal/notification"
	"fanfare/internal/operator"
	"fanfare/internal/responses"
	"fanfare/internal/schedule"
)

func (f *fakeSystem) Change(_ context.Context, id string, c campaign.Change) error {
	f.change = c
	return f.act("change %s", id)
}
func (f *fakeSystem) Pause(_ context.Context, id, reason string) error {
	return f.act("pause %s: %s", id, reason)
}
func (f *fakeSystem) Cancel(_ context.Context, id, reason string) error {
	return f.act("cancel %s: %s", id, reason)
}
func (f *fakeSystem) Delete(_ context.Context, id string, o operator.DeleteOptions) (operator.Deletion, error) {
	return operator.Deletion{}, f.act("delete %s, wait %s", id, o.Wait)
}
func (f *fakeSystem) History(ctx context.Context, _ string) (operator.History, error) {
	f.until, _ = ctx.Deadline()
	return f.history, f.err
}
func (f *fakeSystem) User(_ context.Context, id string, limit int) (operator.User, error) {
	return f.user, f.act("user %s, %d outcomes", id, limit)
}
func (f *fakeSystem) WouldReplay(_ context.Context, filter responses.Filter) (operator.ReplaySummary, error) {
	return operator.ReplaySummary{Replayed: 5}, f.act("would replay %v", filter)
}
func (f *fakeSystem) Replay(_ context.Context, filter responses.Filter, o operator.ReplayOptions) (operator.ReplaySummary, error) {
	return operator.ReplaySummary{Replayed: 5}, f.act("replay %v at %v", filter, o.Rate)
}
func (f *fakeSystem) Backlog(context.Context) (operator.Backlog, error) {
	return operator.Backlog{Results: 7, DeadLetters: 2}, f.err
}

// expectActed compares what was done since the last call.
func (f *fixture) expectActed(want string) {
	f.t.Helper()
	if got := strings.Join(f.system.acted, "; "); got != want {
		f.t.Errorf("acted %q, want %q", got, want)
	}
	f.system.acted = nil
}

func TestCampaignsAreMovedAndDeleted(t *testing.T) {
	t.Parallel()
	f := open(t)
	f.expect(http.StatusOK, `"id":"42"`, http.MethodPost, "/campaigns/42/pause", `{"reason":" wrong link "}`)
	f.expect(http.StatusOK, `"id":"42"`, http.MethodPost, "/campaigns/42/cancel", `{"reason":"`+strings.Repeat("x", 500)+`"}`)
	f.expect(http.StatusOK, `{`, http.MethodDelete, "/campaigns/42", "")
	f.expect(http.StatusOK, `"id":"42"`, http.MethodPost, "/campaigns/42/start", `{"late":true}`)
	if o := f.system.start; !o.Late || o.Partial {
		t.Errorf("started with %+v, want late alone", o)
	}
	f.expect(http.StatusOK, `"id":"42"`, http.MethodPost, "/campaigns/42/start", `{"partial":true}`)
	if o := f.system.start; o.Late || !o.Partial {
		t.Errorf("started with %+v, want partial alone", o)
	}
	f.expectActed("pause 42: wrong link; cancel 42: " + strings.Repeat("x", 500) + "; delete 42, wait " + operator.DefaultDeleteWait.String() +
		"; start 42 by app, API: ; start 42 by app, API: ")
	f.system.err = campaign.ErrNotFound
	for path, method := range map[string]string{"/campaigns/42/pause": http.MethodPost, "/campaigns/42/cancel": http.MethodPost, "/campaigns/42": http.MethodDelete, "/campaigns/42/history": http.MethodGet} {
		f.expect(http.StatusNotFound, "No such campaign", method, path, "")
	}
}

// fields are all members of a new campaign but its id, name and message, and of a change.
const fields = `"project":"p","onAmbiguous":"report","devices":"latest","dedupe":"user","kind":"transactional","weight":3,"priority":2,"rate":0.5,
	"deadline":"2031-01-02T10:00:00Z","windows":["09:00-10:00","sat 11:00-12:00"],"localTime":"2031-01-02T09:00","timeZone":"Asia/Tokyo",
	"quietHours":"22:00-07:00","source":{"files":["/data/a.csv"]}`

// Every member reaches the spec of a new campaign and the change of an old one.
func TestEveryMemberIsPassedOn(t *testing.T) {
	t.Parallel()
	f := open(t)
	at := time.Date(2031, 1, 2, 10, 0, 0, 0, time.UTC)
	windows, err := schedule.ParseWindows("09:00-10:00; sat 11:00-12:00")
	if err != nil {
		t.Fatal(err)
	}
	local, err := schedule.ParseLocal("2031-01-02T09:00")
	if err != nil {
		t.Fatal(err)
	}
	quiet, err := campaign.ParseQuietHours("22:00-07:00")
	if err != nil {
		t.Fatal(err)
	}
	source := campaign.Source{Files: []string{"/data/a.csv"}}
	f.expect(http.StatusCreated, `"id":"42"`, http.MethodPost, "/campaigns", `{"id":"42","name":"News","message":{"a":1},"startAt":"2031-01-02T10:00:00Z",`+fields+`}`)
	spec := campaign.Spec{
		ID: "42", Name: "News", Message: notification.Message(`{"a":1}`), Project: "p", OnAmbiguous: campaign.Report, Devices: campaign.LatestDevice,
		Dedupe: "user", Kind: campaign.Transactional, Weight: 3, Priority: 2, Rate: 0.5, Deadline: at, StartAt: at, Windows: windows, LocalTime: local,
		TimeZone: "Asia/Tokyo", QuietHours: quiet, Source: source,
	}
	if !reflect.DeepEqual(f.system.spec, spec) {
		t.Errorf("created\n%+v, want\n%+v", f.system.spec, spec)
	}
	f.expect(http.StatusOK, `"id":"42"`, http.MethodPatch, "/campaigns/42", `{"message":{"a":1},"partial":true,`+fields+`}`)
	change := campaign.Change{
		Message: spec.Message, Project: &spec.Project, OnAmbiguous: &spec.OnAmbiguous, Devices: &spec.Devices, Dedupe: &spec.Dedupe, Kind: &spec.Kind,
		Weight: &spec.Weight, Priority: &spec.Priority, Rate: &spec.Rate, Deadline: &at, Windows: &windows, LocalTime: &local,
		TimeZone: &spec.TimeZone, QuietHours: &quiet, Source: &source, Partial: true,
	}
	if !reflect.DeepEqual(f.system.change, change) {
		t.Errorf("changed\n%+v, want\n%+v", f.system.change, change)
	}
	f.expect(http.StatusOK, `"id":"42"`, http.MethodPatch, "/campaigns/42", `{}`)
	if !reflect.DeepEqual(f.system.change, campaign.Change{}) {
		t.Errorf("an empty change became %+v", f.system.change)
	}
	f.expect(http.StatusOK, `"id":"42"`, http.MethodPatch, "/campaigns/42", `{"localTime":"tue 18:00"}`)
	if got := f.system.change.LocalTime.String(); got != "2031-01-07T18:00" {
		t.Errorf("the local time is %s, want that after the stored start", got)
	}
	f.system.acted = nil
	for _, bad := range []string{`"windows":["9"]`, `"localTime":"tomorrow"`, `"quietHours":"night"`} {
		field, value, _ := strings.Cut(strings.ReplaceAll(bad, `"`, ""), ":")
		field = map[string]string{"windows": "windows", "localTime": "local_time", "quietHours": "quiet_hours"}[field]
		for method, path := range map[string]string{http.MethodPost: "/campaigns", http.MethodPatch: "/campaigns/42"} {
			status, text := f.send(method, path, `{`+bad+`}`)
			if status != http.StatusUnprocessableEntity || !strings.Contains(text, field) || !strings.Contains(text, strings.Trim(value, "[]")) {
				t.Errorf("%s: %d %s, want %s named", bad, status, text, field)
			}
		}
	}
	f.expectActed("")
}

// An answer that changes nothing comes within 20 seconds. A change may take longer.
func TestOnlyReadsAreBounded(t *testing.T) {
	t.Parallel()
	f := open(t)
	begun := time.Now()
	f.expect(http.StatusOK, "entries", http.MethodGet, "/campaigns/42/history", "")
	if f.system.until.Before(begun.Add(20*time.Second)) || f.system.until.After(time.Now().Add(20*time.Second)) {
		t.Errorf("a history is read until %s", f.system.until)
	}
	f.expect(http.StatusOK, `"id":"42"`, http.MethodPost, "/campaigns/42/start", "")
	if !f.system.until.IsZero() {
		t.Errorf("a start ends at %s", f.system.until)
	}
}

// While a request runs, a repeated one is refused at once. One that cannot be read is never run.
func TestRepeatedWhileItRuns(t *testing.T) {
	t.Parallel()
	f := open(t)
	const key = "Idempotency-Key"
	f.system.during = func() {
		f.expect(http.StatusConflict, "Still running", http.MethodPost, "/campaigns/42/start", "{}", key, "1")
	}
	f.expect(http.StatusOK, `"id":"42"`, http.MethodPost, "/campaigns/42/start", "{}", key, "1")
	f.expect(http.StatusOK, `"id":"42"`, http.MethodPost, "/campaigns/42/start", "", key, strings.Repeat("k", 255))
	f.expect(http.StatusRequestEntityTooLarge, "too large", http.MethodPost, "/campaigns/42/start", strings.Repeat(" ", maxBody+1), key, "2")
	f.expectActed("start 42 by app, API: ; start 42 by app, API: ")
}

// A history without its part in SQL is shown, with the reason.
func TestHistoryIsShown(t *testing.T) {
	t.Parallel()
	f := open(t)
	f.expect(http.StatusOK, `{"entries":[]}`, http.MethodGet, "/campaigns/42/history", "")
	f.system.history = operator.History{Entries: []notification.HistoryEntry{{What: "paused", Who: "ann"}}, Problem: errors.New("dial postgres://u:hunter22@db: refused")}
	status, text := f.send(http.MethodGet, "/campaigns/42/history", "")
	if status != http.StatusOK || !strings.Contains(text, `"what":"paused","who":"ann"`) || !strings.Contains(text, `"problem":"dial`) || strings.Contains(text, "hunter22") {
		t.Errorf("%d %s", status, text)
	}
}

func TestLettersAreCountedAndReplayed(t *testing.T) {
	t.Parallel()
	f := open(t)
	at := time.Date(2031, 1, 2, 10, 0, 0, 0, time.UTC)
	all := responses.Filter{Campaign: "42", User: "u1", Code: "UNREGISTERED", Reason: "gone", Since: at, Until: at.Add(time.Hour)}
	f.expect(http.StatusOK, `{"wouldReplay":{"replayed":5,`, http.MethodGet,
		"/dead-letters?campaign=42&user=u1&code=UNREGISTERED&reason=gone&since=2031-01-02T10:00:00Z&until=2031-01-02T11:00:00Z", "")
	f.expect(http.StatusOK, `{"replayed":5,`, http.MethodPost, "/dead-letters/replay",
		`{"filter":{"campaign":"42","user":"u1","code":"UNREGISTERED","reason":"gone","since":"2031-01-02T10:00:00Z","until":"2031-01-02T11:00:00Z"},"rate":2.5}`)
	f.expect(http.StatusOK, `{"replayed":5,`, http.MethodPost, "/dead-letters/replay", "")
	f.expectActed(fmt.Sprintf("would replay %v; replay %v at 2.5; replay %v at 0", all, all, responses.Filter{}))
	f.expect(http.StatusUnprocessableEntity, `since is`, http.MethodGet, "/dead-letters?since=yesterday", "")
	f.expect(http.StatusUnprocessableEntity, `until is`, http.MethodGet, "/dead-letters?until=today", "")
	f.expect(http.StatusUnprocessableEntity, "rate is -1", http.MethodPost, "/dead-letters/replay", `{"rate":-1}`)
	f.expectActed("")
}

// A user is shown with what could be asked. Addresses are abbreviated, and removed ones left out.
func TestUserIsShown(t *testing.T) {
	t.Parallel()
	f := open(t)
	f.system.user = operator.User{ID: "u1"}
	status, text := f.send(http.MethodGet, "/users/u1", "")
	if want := `{"id":"u1","devices":[],"removed":[],"suppressed":false,"outcomes":[],"more":false}`; status != http.StatusOK || strings.TrimSpace(text) != want {
		t.Errorf("a user without anything: %d %s, want %s", status, text, want)
	}
	const token = "cMr3eGJhR0-kT1:APA91bHun4MxP5egoKMwt2"
	f.system.user = operator.User{
		ID: "u1", Token: notification.ParseToken(token), Devices: []notification.Device{{Target: notification.ParseToken(token), Platform: "ios"}},
		Suppressed: true, More: true, Outcomes: []notification.Result{{CampaignID: "42", UserID: "u1", Token: token, TokenRemoved: true}},
		TokenErr: errors.New("no tokens"), ProfileErr: errors.New("no profile"), RemovedErr: errors.New("no copies"),
		SuppressedErr: errors.New("no set"), CapsErr: errors.New("no caps"),
	}
	f.system.err = errors.New("dial postgres://u:hunter22@db: refused")
	status, text = f.send(http.MethodGet, "/users/u1?limit=1000", "")
	for _, want := range []string{`"token":"cMr3eG…Mwt2"`, `"platform":"ios"`, `"suppressed":true`, `"more":true`, `"campaignId":"42"`, `"problems":["no tokens","no profile","no copies","no set","no caps","dial`} {
		if status != http.StatusOK || !strings.Contains(text, want) || strings.Contains(text, token) || strings.Contains(text, "hunter22") {
			t.Errorf("%d %s, want %s", status, text, want)
		}
	}
	f.expect(http.StatusOK, "", http.MethodGet, "/users/u1?limit=1", "")
	f.expect(http.StatusUnprocessableEntity, "1 to 1000", http.MethodGet, "/users/u1?limit=1001", "")
	f.expect(http.StatusUnprocessableEntity, "1 to 1000", http.MethodGet, "/users/u1?limit=many", "")
	f.expectActed("user u1, 100 outcomes; user u1, 1000 outcomes; user u1, 1 outcomes")
}

// The path of the only project also shows what waits between FCM and SQL, even without a quota.
func TestOnlyProjectIsShown(t *testing.T) {
	t.Parallel()
	f := open(t)
	f.expect(http.StatusOK, `{"backlog":{"results":7,"deadLetters":2},"quota":null}`, http.MethodGet, "/project", "")
	system := &fakeSystem{}
	f = open(t, operator.Project{ID: "shop", Pace: fakePace{fakeSystem: system, id: "shop"}})
	f.expect(http.StatusOK, `"quota":{"project":"shop"`, http.MethodGet, "/project", "")
	system.err = io.ErrUnexpectedEOF
	f.expect(http.StatusServiceUnavailable, "repeat", http.MethodGet, "/project", "")
	f.system.err = operator.ErrNoDatabase
	f.expect(http.StatusNotImplemented, "Outcomes are not recorded", http.MethodGet, "/project", "")
}

// The kind of an audience follows from its headers, and options reach the load.
func TestAudienceIsPassedOn(t *testing.T) {
	t.Parallel()
	f := open(t)
	for kind, want := range map[string]audience.Format{
		"": audience.Sniffed, "application/octet-stream": audience.Sniffed, "application/gzip": audience.Sniffed, "application/zstd": audience.Sniffed,
		"text/csv; charset=utf-8": audience.CSV, "application/x-ndjson": audience.NDJSON, "application/json": audience.NDJSON,
	} {
		f.expect(http.StatusOK, `"loaded":1`, http.MethodPost, "/campaigns/42/audience?append=true", "x", "Content-Type", kind, "Content-Encoding", "zstd")
		if f.system.load.Format != want || !f.system.load.Append {
			t.Errorf("%q is loaded as %q, append %v", kind, f.system.load.Format, f.system.load.Append)
		}
	}
	f.expect(http.StatusOK, `"loaded":1`, http.MethodPost, "/campaigns/42/audience?append=false", "x", "Content-Encoding", "gzip")
	if f.system.load.Append {
		t.Error("an audience that is not to be appended is")
	}
	f.expect(http.StatusUnprocessableEntity, "Content-Type", http.MethodPost, "/campaigns/42/audience", "x", "Content-Type", "text/")
	f.expect(http.StatusUnprocessableEntity, "gzip or zstd", http.MethodPost, "/campaigns/42/audience", "x", "Content-Encoding", "br")
}

func TestDescriptionIsServed(t *testing.T) {
	t.Parallel()
	open(t).expect(http.StatusOK, "openapi: 3", http.MethodGet, "/openapi.yaml", "")
	for _, deps := range []Deps{{}, {System: &fakeSystem{}}} {
		if _, err := New(deps, Options{Identify: func(*http.Request) Caller { return Caller{} }}); err == nil {
			t.Errorf("an API is made of %+v", deps)
		}
	}
}
