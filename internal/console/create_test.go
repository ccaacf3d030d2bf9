package console

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"fanfare/internal/checks"
)

const goodMessage = `{"notification":{"title":"Hi {{name|you}}"}}`

func (f *fixture) problems(path string, form url.Values, status int) formErrors {
	f.t.Helper()
	answer := f.post(path, form)
	wantStatus(f.t, answer, status)
	var found formErrors
	if err := json.Unmarshal([]byte(answer.text), &found); err != nil {
		f.t.Fatalf("%v: %s", err, answer.text)
	}
	return found
}

// Every fault of a message is found at once, each at its line.
func TestFaultsStandAtTheirPlace(t *testing.T) {
	t.Parallel()
	f := open(t, Options{Operate: true})
	message := "{\n \"notification\": {\n  \"title\": 5,\n  \"body\": \"{{open\"},\n \"android\": {\"ttl\": \"4h\"}\n}"
	found := f.problems("/new/check", url.Values{"message": {message}}, http.StatusOK)
	lines := make(map[string]int)
	for _, fault := range found.Faults {
		lines[fault.Field] = fault.Line
		if name := message[fault.From:fault.To]; !strings.HasSuffix(fault.Field, strings.Trim(name, `"`)) {
			t.Errorf("%s is found at %q", fault.Field, name)
		}
	}
	for field, want := range map[string]int{"message.notification.title": 3, "message.notification.body": 4, "message.android.ttl": 5} {
		if lines[field] != want {
			t.Errorf("%s is in line %d, want %d: %v", field, lines[field], want, found.Faults)
		}
	}
	found = f.problems("/new/check", url.Values{"message": {"{\n\"a\":\n x}"}}, http.StatusOK)
	if len(found.Faults) != 1 || found.Faults[0].Line != 3 {
		t.Errorf("what is no JSON has the faults %+v, want one in line 3", found.Faults)
	}
	if found = f.problems("/new/check", url.Values{"message": {goodMessage}}, http.StatusOK); len(found.Faults) > 0 || found.Bytes != len(goodMessage) {
		t.Errorf("a good message has %+v", found)
	}
}

// Placeholders of other systems are warned of, and refuse nothing.
func TestUnknownPlaceholdersAreWarnedOf(t *testing.T) {
	t.Parallel()
	f := open(t, Options{Operate: true})
	form := url.Values{"id": {"foreign"}, "message": {"{\n\"notification\":{\n\"title\":\"Hi ${name}\"}}"}}
	found := f.problems("/new/check", form, http.StatusOK)
	if len(found.Faults) > 0 || len(found.Warnings) != 1 || found.Warnings[0].Line != 3 || found.Warnings[0].Problem != "has ${name}, which is not filled in. Write {{name}}." {
		t.Errorf("found %+v, want one warning in line 3", found)
	}
	wantStatus(t, f.post("/new", form), http.StatusOK)
	if found := f.problems("/new/check", url.Values{"message": {goodMessage}}, http.StatusOK); len(found.Warnings) > 0 {
		t.Errorf("a good message has the warnings %+v", found.Warnings)
	}
}

// A form is refused whole, with every field's problem, and creates nothing.
func TestNewCampaignIsCreatedOrRefusedWhole(t *testing.T) {
	t.Parallel()
	f := open(t, Options{Operate: true})
	bad := url.Values{"message": {"{}x"}, "rate": {"fast"}, "priority": {"10"}, "weight": {"0"}, "deadline": {"soon"}, "project": {"a b"},
		"start_at": {"later"}, "windows": {"09:00-09:00"}, "local_time": {"tea time"}, "time_zone": {"Mars/Olympus"}, "quiet_hours": {"at night"}}
	found := f.problems("/new", bad, http.StatusUnprocessableEntity)
	for _, field := range []string{"id", "rate", "priority", "weight", "deadline", "project", "start_at", "windows", "local_time", "time_zone", "quiet_hours"} {
		if found.Fields[field] == "" {
			t.Errorf("%s is not refused: %v", field, found.Fields)
		}
	}
	if len(found.Faults) == 0 {
		t.Error("the message is not refused")
	}
	found = f.problems("/new", url.Values{"message": {goodMessage}, "id": {"running"}}, http.StatusUnprocessableEntity)
	if !strings.Contains(found.Fields["id"], "already") {
		t.Errorf("an id that exists: %v", found.Fields)
	}
	answer := f.post("/new", url.Values{"message": {goodMessage}, "id": {"sale"}, "deadline": {"2030-01-31T18:00"}, "devices": {"latest"}, "dedupe": {"user"}})
	wantStatus(t, answer, http.StatusOK)
	if got, want := f.system.done(), "create sale 2030-01-31T18:00:00Z latest/user"; got != want || !strings.Contains(answer.text, "/campaigns/sale/audience") {
		t.Errorf("done %q, want %q; then %s", got, want, answer.text)
	}
}

// A new campaign has the time rules and the kind of the form. The form has a field for each.
func TestNewCampaignHasTimeRules(t *testing.T) {
	t.Parallel()
	f := open(t, Options{Operate: true})
	page := f.get("/new").text
	form := url.Values{
		"message": {goodMessage}, "id": {"evening"}, "start_at": {"2030-01-31T18:00"}, "windows": {"mon-fri 09:00-21:00; sat 10:00-18:00"},
		"time_zone": {"Asia/Saigon"}, "kind": {"transactional"}, "quiet_hours": {"22:00-08:00"}, "local_time": {""},
	}
	for name := range form {
		if !strings.Contains(page, `name="`+name+`"`) {
			t.Errorf("the form has no field %s", name)
		}
	}
	wantStatus(t, f.post("/new", form), http.StatusOK)
	spec := f.system.created
	got := []string{spec.StartAt.Format(time.RFC3339), spec.Windows.String(), spec.TimeZone, string(spec.Kind), spec.QuietHours.String()}
	want := []string{"2030-01-31T18:00:00Z", "mon-fri 09:00-21:00; sat 10:00-18:00", "Asia/Saigon", "transactional", "22:00-08:00"}
	if !slices.Equal(got, want) {
		t.Errorf("created with %q, want %q", got, want)
	}
}

// People who only read are shown no way to create, load or check, and are refused.
func TestReadersCannotLaunch(t *testing.T) {
	t.Parallel()
	f := open(t, Options{})
	if text := f.get("/campaigns").text; strings.Contains(text, "/new") {
		t.Error("the list offers a new campaign")
	}
	for _, page := range []string{"/new", "/campaigns/draft/audience", "/campaigns/draft/ready"} {
		wantStatus(t, f.get(page), http.StatusForbidden)
	}
	for _, action := range []string{"/new", "/new/check", "/campaigns/draft/audience?name=a.csv", "/campaigns/draft/check"} {
		wantStatus(t, f.post(action, url.Values{"message": {goodMessage}, "id": {"sale"}}), http.StatusForbidden)
	}
	if f.system.done() != "" {
		t.Errorf("done: %s", f.system.done())
	}
}

func (f *fixture) upload(path string, body io.Reader) reply {
	f.t.Helper()
	r, err := http.NewRequestWithContext(f.t.Context(), http.MethodPost, f.server.URL+path, body)
	if err != nil {
		f.t.Fatal(err)
	}
	return f.send(r)
}

// A load shows its progress to everyone, and says which lines are no recipients.
func TestAudienceIsLoaded(t *testing.T) {
	t.Parallel()
	f := open(t, Options{Operate: true, Actor: "ops"})
	answer := f.upload("/campaigns/draft/audience?name=a.csv.gz", strings.NewReader("userId\na\nb\nc\n"))
	wantStatus(t, answer, http.StatusOK)
	if got, want := f.system.done(), "load draft csv"; got != want {
		t.Errorf("done %q, want %q", got, want)
	}
	if text := f.get("/campaigns/draft").text; !strings.Contains(text, "Load of a.csv.gz") {
		t.Error("the campaign's page does not show the load")
	}
	text := f.get("/campaigns/draft/audience").text
	for _, want := range []string{"Load of a.csv.gz", "by ops", "Loaded 3 recipients. 1 line is no recipient", "line 4: has no user"} {
		if !strings.Contains(text, want) {
			t.Errorf("the page does not say %q", want)
		}
	}
}

// A load that is refused says why, and does not offer to continue what never began.
func TestRefusedLoadSaysWhy(t *testing.T) {
	t.Parallel()
	f := open(t, Options{Operate: true})
	answer := f.upload("/campaigns/running/audience?name=a.csv", strings.NewReader("userId\na\n"))
	wantStatus(t, answer, http.StatusUnprocessableEntity)
	text := f.get("/campaigns/running/audience").text
	if !strings.Contains(text, "To add to it, choose so below the file") || strings.Contains(text, "the load continues where it stopped, and") {
		t.Errorf("the page says %s", text)
	}
	wantStatus(t, f.upload("/campaigns/running/audience?name=a.csv&append=1", strings.NewReader("userId\na\n")), http.StatusOK)
}

// A load whose browser goes away ends, says so, and tells how to continue.
func TestBrokenLoadTellsHowToContinue(t *testing.T) {
	t.Parallel()
	f := open(t, Options{Operate: true})
	ctx, leave := context.WithCancel(t.Context())
	body, browser := io.Pipe()
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, f.server.URL+"/campaigns/draft/audience?name=a.csv", body)
	if err != nil {
		t.Fatal(err)
	}
	left := make(chan struct{})
	go func() {
		defer close(left)
		if response, err := f.client.Do(r); err == nil {
			_ = response.Body.Close()
		}
	}()
	if _, err := browser.Write([]byte("userId\n")); err != nil {
		t.Fatal(err)
	}
	f.eventually("/campaigns/draft/audience", "Stop</button>")
	leave()
	_ = browser.CloseWithError(errors.New("gone"))
	<-left
	f.eventually("/campaigns/draft/audience", "Choose the same file again")
	if f.system.done() != "" {
		t.Errorf("done: %s", f.system.done())
	}
}

// The check's findings stand before the start, and the start's dialog names them.
func TestStartIsCheckedFirst(t *testing.T) {
	t.Parallel()
	f := open(t, Options{Operate: true})
	if text := f.get("/campaigns/draft/start").text; !strings.Contains(text, "not checked here lately") {
		t.Error("the dialog does not say that nothing was checked")
	}
	f.console.deps.Check = func(context.Context, string) ([]checks.Finding, error) {
		return []checks.Finding{
			{Name: "audience", Grade: checks.Good, Detail: "8 recipients left"}, {Name: "tokens", Grade: checks.Warning, Detail: "2 of 8 have no token", Advice: "they end as skipped"},
			{Name: "message", Grade: checks.Failure, Detail: "FCM refuses it"},
		}, nil
	}
	wantStatus(t, f.post("/campaigns/draft/check", url.Values{}), http.StatusOK)
	text := f.eventually("/campaigns/draft/ready", "1 thing is wrong: do not start it yet")
	for _, want := range []string{"8 recipients left", "they end as skipped", "FCM refuses it"} {
		if !strings.Contains(text, want) {
			t.Errorf("the report does not say %q", want)
		}
	}
	if text := f.get("/campaigns/draft/start").text; !strings.Contains(text, "1 thing is wrong") {
		t.Error("the dialog does not say what the check found")
	}
}
