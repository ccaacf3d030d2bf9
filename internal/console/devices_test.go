package console

import (
	"context"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"fanfare/internal/notification"
	"fanfare/internal/operator"
)

const devicesMessage = `{"notification":{"title":"Hi {{name|you}}!","body":"for all"},
"android":{"priority":"HIGH","ttl":"14400s","notification":{"channel_id":"events","body":"for Android"}},
"apns":{"payload":{"aps":{"alert":{"title":"Bonjour","body":"for iOS"},"sound":"default"}}},
"webpush":{"notification":{"title":"Web {{name|you}}"}}}`

// withMessage gives the running campaign a message.
func (f *fixture) withMessage(text string) {
	f.system.mu.Lock()
	f.system.views[0].Spec.Message = notification.Message(text)
	f.system.mu.Unlock()
	f.refresh()
}

// Each device shows its own part of the message before the common one, filled in for a person.
func TestDevicesShowTheMessage(t *testing.T) {
	t.Parallel()
	f := open(t, Options{})
	f.withMessage(devicesMessage)
	for page, wants := range map[string][]string{
		"/campaigns/running": {
			`Hi <span class="fill">{{name|you}}</span>!`, `<span>for Android</span>`, `<span class="title">Bonjour</span>`, `<span>for iOS</span>`, `Web <span class="fill">{{name|you}}</span>`,
			"channel events, high priority, kept 4 h", "sound default",
		},
		"/campaigns/running?person=Ada":   {`Hi <span class="fill">Ada</span>!`, `lang="fr"`, "Filled in for Ada"},
		"/campaigns/running?person=lacks": {"Ends as skipped, UNFILLED, unless the audience has a column name"},
	} {
		text := f.get(page).text
		for _, want := range wants {
			if !strings.Contains(text, want) {
				t.Errorf("%s does not say %s", page, want)
			}
		}
	}
	f.withMessage(`{"data":{"a":"b"}}`)
	if text := f.get("/campaigns/running").text; strings.Count(text, "Nothing is shown: the app gets the data") != 3 {
		t.Error("a message of data alone is shown as something else")
	}
	f.withMessage(`{"notification":{"title":"<img src=x onerror=alert(1)>"}}`)
	if text := f.get("/campaigns/running?person=%3Cb%3E").text; strings.Contains(text, "<img src=x") || strings.Contains(text, "<b>") && strings.Contains(text, `value="<b>`) {
		t.Error("a message's markup is not escaped")
	}
}

// The pieces of a text put together are the text, whatever fills it.
func TestPiecesAreTheText(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		var template, text strings.Builder
		for range rapid.IntRange(0, 4).Draw(t, "parts") {
			literal := rapid.SampledFrom([]string{"", "a", "aa", " to "}).Draw(t, "literal")
			value := rapid.SampledFrom([]string{"", "a", "x", " to a"}).Draw(t, "value")
			template.WriteString(literal + "{{name}}")
			text.WriteString(literal + value)
		}
		got := ""
		for _, p := range pieces(template.String(), text.String()) {
			got += p.Text
		}
		if got != text.String() {
			t.Fatalf("%q filled as %q is shown as %q", template.String(), text.String(), got)
		}
	})
}

// A test goes where the dialog said. FCM's refusal is an answer, and the token is in no address.
func TestTestSend(t *testing.T) {
	t.Parallel()
	f := open(t, Options{Operate: true})
	f.withMessage(devicesMessage)
	wantStatus(t, f.get("/campaigns/running/test"), http.StatusNotFound)
	wantStatus(t, f.post("/campaigns/running/test", url.Values{"user": {"u1"}}), http.StatusUnprocessableEntity)
	answer := operator.TestAnswer{Accepted: true, MessageID: "projects/shop/messages/1"}
	var asked operator.TestSend
	f.system.users = map[string]operator.User{"u1": {ID: "u1", Devices: make([]notification.Device, 2)}}
	if text := f.get("/campaigns/running").text; !strings.Contains(text, `id="no-test">no credentials for FCM`) {
		t.Error("a console without credentials does not say why it sends no test")
	}
	f.console.deps.SendTest = func(_ context.Context, t operator.TestSend) ([]operator.TestResult, error) {
		asked = t
		return []operator.TestResult{{Address: notification.ParseToken(aToken), Answer: answer}}, nil
	}
	if text := f.get("/campaigns/running?person=u1").text; !strings.Contains(text, "/campaigns/running/test?user=u1") {
		t.Error("the page does not offer a test to the person it shows")
	}
	if text := f.get("/campaigns/running/test?user=u1").text; !strings.Contains(text, `value="u1"`) || !strings.Contains(text, "in no figure of the campaign") || !strings.Contains(text, "Pushes to u1, one to each device</dt><dd>2</dd>") {
		t.Errorf("the dialog does not say what goes where: %s", text)
	}
	wantStatus(t, f.post("/campaigns/running/test", url.Values{}), http.StatusUnprocessableEntity)
	reply := f.post("/campaigns/running/test", url.Values{"user": {"u1"}, "token": {aToken}})
	wantStatus(t, reply, http.StatusOK)
	if asked.Campaign != "running" || asked.User != "u1" || asked.Address.Value != aToken {
		t.Errorf("asked %+v", asked)
	}
	if !strings.Contains(reply.text, answer.MessageID) || strings.Contains(reply.text, aToken) {
		t.Errorf("answered %s, want FCM's name of the message and no whole token", reply.text)
	}
	const fid = "cBdEfGhIjKlMnOpQrStUvW"
	wantStatus(t, f.post("/campaigns/running/test", url.Values{"fid": {fid}, "validate_only": {"yes"}}), http.StatusOK)
	if asked.Address != notification.ParseFID(fid) || !asked.ValidateOnly {
		t.Errorf("asked %+v, want a check for the FID", asked)
	}
	for problem, form := range map[string]url.Values{
		"two addresses": {"fid": {fid}, "token": {aToken}}, "FID: this is a registration token": {"fid": {aToken}}, "Token: this is a Firebase Installation ID": {"token": {fid}},
	} {
		reply := f.post("/campaigns/running/test", form)
		wantStatus(t, reply, http.StatusUnprocessableEntity)
		if !strings.Contains(reply.text, problem) {
			t.Errorf("%v is answered %q, want %q", form, reply.text, problem)
		}
	}
	answer = operator.TestAnswer{Code: "UNREGISTERED"}
	reply = f.post("/campaigns/running/test", url.Values{"user": {"u1"}})
	wantStatus(t, reply, http.StatusUnprocessableEntity)
	if !strings.Contains(reply.text, "UNREGISTERED") {
		t.Errorf("answered %s", reply.text)
	}
	reader := open(t, Options{})
	reader.console.deps.SendTest = f.console.deps.SendTest
	reader.withMessage(devicesMessage)
	if strings.Contains(reader.get("/campaigns/running").text, "Test send") {
		t.Error("a console that only reads offers a test")
	}
	wantStatus(t, reader.post("/campaigns/running/test", url.Values{"user": {"u1"}}), http.StatusForbidden)
}
