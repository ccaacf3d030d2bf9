package operator

import (
	"errors"
	"os"
	"strings"
	"testing"

	"fanfare/internal/campaign"
)

func TestMessagesAreRefusedByField(t *testing.T) {
	for name, c := range map[string]struct{ message, want string }{
		"an unknown field":       {`{"notification":{"titel":"x"}}`, "message.notification.titel: is unknown to FCM"},
		"a number in data":       {`{"data":{"count":1}}`, "message.data.count: must be a string"},
		"a target":               {`{"token":"t"}`, "message.token: names a recipient"},
		"too large":              {`{"data":{"x":"` + strings.Repeat("x", 5000) + `"}}`, "message: is 50"},
		"a long life":            {`{"android":{"ttl":"2419201s"}}`, "message.android.ttl: is 2419201s, over the 28 days"},
		"a request and more":     {`{"message":{"notification":{"title":"x"}},"topic":"news"}`, "topic: is beside \"message\": give the message alone"},
		"all at once":            {`{"data":{"count":1},"notification":{"titel":"x","body":"Hi {{name"}}`, "message.data.count: must be a string, is 1; message.notification.titel: is unknown to FCM; message.notification.body: a placeholder is not closed"},
		"no JSON":                {`{"notification":`, "message: is not JSON"},
		"an open placeholder":    {`{"notification":{"title":"Hello {{name"}}`, "message.notification.title: a placeholder is not closed"},
		"an unnamed placeholder": {`{"data":{"x":"{{|there}}"}}`, "message.data.x: a placeholder has no name"},
	} {
		_, err := CheckMessage([]byte(c.message))
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: got %v, want %q", name, err, c.want)
		}
	}
}

// Placeholders may stand wherever they are filled in, including links and images, and pass FCM's
// schema.
func TestMessagesWithPlaceholdersAreTaken(t *testing.T) {
	for _, message := range []string{
		plainMessage,
		"\xef\xbb\xbf" + plainMessage,
		`{"notification":{"title":"{{name|there}}","body":"{{a.b}}","image":"{{picture|https://host/x.png}}"},"data":{"link":"app://{{screen}}"}}`,
		`{"webpush":{"fcm_options":{"link":"https://host/{{path}}"}},"android":{"notification":{"image":"{{picture}}"}}}`,
		`{"apns":{"payload":{"aps":{"alert":{"title":"{{name}}"}}},"fcm_options":{"image":"{{picture}}"}}}`,
		`{"message":{"webpush":{"fcmOptions":{"link":"https://host/{{path}}"}}}}`,
	} {
		if _, err := CheckMessage([]byte(message)); err != nil {
			t.Errorf("%s: %v", message, err)
		}
	}
	example, err := os.ReadFile("../../examples/message.json")
	ok(t, err)
	if _, err := CheckMessage(example); err != nil {
		t.Errorf("the example: %v", err)
	}
}

func TestCreateWritesADraft(t *testing.T) {
	f := open(t)
	spec := campaign.Spec{ID: "42", State: campaign.Running, Message: []byte("\xef\xbb\xbf" + plainMessage), Name: "spring", OnAmbiguous: campaign.Report, Weight: 3}
	ok(t, f.Create(t.Context(), spec))
	got, err := f.deps.Campaigns.Get(t.Context(), "42")
	ok(t, err)
	if got.State != campaign.Draft || string(got.Message) != plainMessage || got.Name != "spring" || got.OnAmbiguous != campaign.Report || got.Weight != 3 {
		t.Errorf("got %+v", got)
	}
	err = f.Create(t.Context(), spec)
	if !errors.Is(err, campaign.ErrExists) || strings.Count(err.Error(), "create campaign") != 1 {
		t.Errorf("a second time: %v", err)
	}
	if err := f.Create(t.Context(), campaign.Spec{ID: "43", Message: []byte(`{"data":1}`)}); err == nil {
		t.Error("a bad message was taken")
	}
	if n := f.rdb.Exists(t.Context(), "{campaign:43}:spec").Val(); n != 0 {
		t.Error("a bad message was written")
	}
}

// A path of dots is another one after a browser or a proxy has cleaned it.
func TestCreateRefusesPathsOfDots(t *testing.T) {
	f := open(t)
	for _, id := range []string{".", ".."} {
		err := f.Create(t.Context(), campaign.Spec{ID: id, Message: []byte(`{"notification":{"title":"Hi"}}`)})
		mentions(t, err, "cannot be part of an address")
	}
}

func TestChangeOfTheMessage(t *testing.T) {
	f := open(t)
	f.create("42", campaign.Running)
	const corrected = `{"notification":{"title":"Corrected"}}`
	_, is := errors.AsType[*campaign.TransitionError](f.Change(t.Context(), "42", campaign.Change{Message: []byte(corrected)}))
	equal(t, "refused while it runs", is, true)
	ok(t, f.deps.Campaigns.Move(t.Context(), "42", campaign.Paused, ""))
	mentions(t, f.Change(t.Context(), "42", campaign.Change{Message: []byte(`{"data":1}`), Weight: new(5)}), "message.data")
	got := f.show("42").Spec
	equal(t, "message after a bad one", string(got.Message), plainMessage)
	equal(t, "weight after a bad one", got.Weight, 1)
	ok(t, f.Change(t.Context(), "42", campaign.Change{Message: []byte("\xef\xbb\xbf" + corrected)}))
	equal(t, "message", string(f.show("42").Spec.Message), corrected)
}

// A campaign may name only a project of the settings, if they list some. Others have no dispatcher.
func TestUnknownProjectsAreRefused(t *testing.T) {
	f := open(t)
	mistyped, second, none := "fourth", "second", ""
	ok(t, f.Create(t.Context(), campaign.Spec{ID: "41", Message: []byte(plainMessage), Project: mistyped})) // nothing is known
	f.deps.Projects = []string{"first", second}
	for name, err := range map[string]error{
		"create": f.Create(t.Context(), campaign.Spec{ID: "42", Message: []byte(plainMessage), Project: mistyped}),
		"change": f.Change(t.Context(), "41", campaign.Change{Project: &mistyped}),
	} {
		if refused, is := errors.AsType[*campaign.SpecError](err); !is || refused.Field != "project" || !strings.Contains(refused.Problem, `"fourth", which the settings do not have: they have first, second`) {
			t.Errorf("%s: %v", name, err)
		}
	}
	bad := "no project"
	mentions(t, f.Change(t.Context(), "41", campaign.Change{Project: &bad}), "want the id of a Firebase project")
	ok(t, f.Change(t.Context(), "41", campaign.Change{Project: &second}))
	ok(t, f.Change(t.Context(), "41", campaign.Change{Project: &none}))
	ok(t, f.Create(t.Context(), campaign.Spec{ID: "43", Message: []byte(plainMessage)}))
}
