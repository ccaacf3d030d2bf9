package operator

import (
	"errors"
	"io"
	"reflect"
	"strconv"
	"strings"
	"testing"
	"testing/iotest"
	"time"

	"fanfare/internal/audience"
	"fanfare/internal/campaign"
	"fanfare/internal/notification"
)

// Each platform shows its own text, and what that lacks from the common one.
func TestPreviewsOfMessages(t *testing.T) {
	const image, link = "https://example.com/a.png", "https://example.com/b"
	for text, want := range map[string][]Preview{
		`{"notification":{"title":"T","body":"B","image":"` + image + `"}}`: {
			{Platform: "Android", Title: "T", Body: "B", Image: image}, {Platform: "iOS", Title: "T", Body: "B", Image: image}, {Platform: "Web", Title: "T", Body: "B", Image: image},
		},
		`{"notification":{"title":"T"},"android":{"priority":"HIGH","ttl":"3600s","notification":{"body":"A","channel_id":"news","title_loc_key":"k"}},
			"apns":{"payload":{"aps":{"alert":"only a body","sound":"ping","badge":3,"content-available":1}},"fcm_options":{"image":"` + image + `"}},
			"webpush":{"notification":{"title":"W"},"fcm_options":{"link":"` + link + `"}}}`: {
			{Platform: "Android", Title: "[the app’s text k]", Body: "A", TTL: time.Hour, Details: []string{"channel news", "high priority"}},
			{Platform: "iOS", Title: "T", Body: "only a body", Image: image, Details: []string{"sound ping", "badge 3", "wakes the app"}},
			{Platform: "Web", Title: "W", Details: []string{link}},
		},
		`{"apns":{"payload":{"aps":{"alert":{"title":"I","loc-key":"b"},"content-available":0}}},"android":{"notification":{"body_loc_key":"c"}}}`: {
			{Platform: "Android", Body: "[the app’s text c]"}, {Platform: "iOS", Title: "I", Body: "[the app’s text b]"}, {Platform: "Web"},
		},
		`{"apns":{"payload":{"aps":{"alert":{"title-loc-key":"a"}}}}}`: {{Platform: "Android"}, {Platform: "iOS", Title: "[the app’s text a]"}, {Platform: "Web"}},
		`{"notification":{"title":"T"},"android_v2":{"ttl":"3600s","remote_notification":{"notification":{"body":"A","channel_id":"news"}}},
			"apns":{"headers":{"apns-push-type":"background"},"payload":{"aps":{"content-available":true}}}}`: {
			{Platform: "Android", Title: "T", Body: "A", TTL: time.Hour, Details: []string{"channel news"}},
			{Platform: "iOS", Details: []string{"wakes the app"}}, {Platform: "Web", Title: "T"},
		},
		`{"notification":{"title":"T"},"android_v2":{"ttl":"60s","background_sync":{}},
			"apns":{"payload":{"aps":{"alert":{"title":"I","subtitle":"S"},"sound":{"name":"alarm","critical":1}}}}}`: {
			{Platform: "Android", TTL: time.Minute, Details: []string{"background sync, which may be delayed"}},
			{Platform: "iOS", Title: "I", Details: []string{"subtitle S", "critical sound alarm"}}, {Platform: "Web", Title: "T"},
		},
		`[]`: nil,
	} {
		if got := PreviewMessage(notification.Message(text)); !reflect.DeepEqual(got, want) {
			t.Errorf("%s is shown as\n%+v, want\n%+v", text, got, want)
		}
	}
	for _, c := range []struct {
		p    Preview
		want bool
	}{{Preview{}, true}, {Preview{Title: "T"}, false}, {Preview{Body: "B"}, false}, {Preview{Image: image}, true}} {
		equal(t, "is silent", c.p.IsSilent(), c.want)
	}
}

// A preview is in the language of the device that the user used last, as a test and the campaign
// are.
func TestPreviewInTheLanguageOfTheDevice(t *testing.T) {
	f := open(t)
	message := `{"message":{"notification":{"title":"Hello"}},"locales":{"pt":{"notification":{"title":"Olá"}},"de":{"notification":{"title":"Hallo"}}}}`
	ok(t, f.Create(t.Context(), campaign.Spec{ID: "42", Message: []byte(message)}))
	ok(t, f.rdb.HSet(t.Context(), "user:u1:devices", "phone", `{"locale":"pt-BR","lastUse":"2026-11-01"}`, "old", `{"locale":"de","lastUse":"2026-01-01"}`).Err())
	for user, want := range map[string]string{"u1": "Olá", "u2": "Hello", "": "Hello"} {
		got, err := f.Preview(t.Context(), "42", user)
		ok(t, err)
		equal(t, "title for "+user, got.Devices[0].Title, want)
	}
}

// An import counts each line once, and says what is done when it breaks off.
func TestSuppressedUsersAreImported(t *testing.T) {
	f := open(t)
	got, err := f.ImportSuppressed(t.Context(), strings.NewReader("u1\nu2\nu1\n"+strings.Repeat("x", 2000)+"\nu3\n"), nil)
	ok(t, err)
	if got.Added != 3 || got.Already != 1 || got.Rejected != 1 || len(got.Errors) != 1 || got.Errors[0].Line != 4 {
		t.Errorf("imported %+v", got)
	}
	again, err := f.ImportSuppressed(t.Context(), strings.NewReader("u1\nu4\n"), nil)
	ok(t, err)
	if again.Added != 1 || again.Already != 1 || again.Rejected != 0 {
		t.Errorf("imported %+v", again)
	}
	many := make([]string, batchRows+1)
	for n := range many {
		many[n] = strconv.Itoa(n)
	}
	var progress int64
	all, err := f.ImportSuppressed(t.Context(), strings.NewReader(strings.Join(many, "\n")), func(read int64) { progress = read })
	ok(t, err)
	equal(t, "progress", progress, batchRows)
	equal(t, "added of many", all.Added, int64(len(many)))
	_, err = f.ImportSuppressed(t.Context(), strings.NewReader(strings.Repeat("x", 2000)+"\n"), nil)
	if !errors.Is(err, ErrNoUser) {
		t.Errorf("a file with only rejected lines: %v", err)
	}
	_, err = f.ImportSuppressed(t.Context(), strings.NewReader("userId\n"), nil)
	if _, is := errors.AsType[*audience.FileError](err); !is {
		t.Errorf("a file without users: %v", err)
	}
	_, err = f.ImportSuppressed(t.Context(), io.MultiReader(strings.NewReader("u5\nu6\n"), iotest.ErrReader(io.ErrUnexpectedEOF)), nil)
	mentions(t, err, "users are suppressed by this import")
}
