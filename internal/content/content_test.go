package content_test

import (
	"strings"
	"testing"

	"fanfare/internal/content"
	"fanfare/internal/notification"
)

// Placeholders are found in every spelling of a message, and FCM's reader accepts the filled
// message.
func TestPlaceholdersInEverySpelling(t *testing.T) {
	for _, text := range []string{
		`{"android":{"notification":{"click_action":"app://{{screen}}","title_loc_key":"k","title_loc_args":["{{who|<you>}}"]}}}`,
		`{"android":{"notification":{"clickAction":"app://{{screen}}","titleLocKey":"k","titleLocArgs":["{{who|<you>}}"]}}}`,
		`{"message":{"android":{"notification":{"clickAction":"app://{{screen}}","titleLocKey":"k","titleLocArgs":["{{who|<you>}}"]}}}}`,
	} {
		c, err := content.Compile(notification.Message(text))
		if err != nil {
			t.Errorf("%s: %v", text, err)
			continue
		}
		if names := strings.Join(c.Names(), " "); names != "screen who" {
			t.Errorf("%s: placeholders %q", text, names)
		}
	}
}

// Faults of the schema and of placeholders are returned together.
func TestFaultsOfBothKinds(t *testing.T) {
	_, err := content.Compile(notification.Message(`{"message":{"android":{"notification":{"clickAction":"{{","channelID":"x"}},"data":{"n":1}}}`))
	var fields []string
	for _, fault := range notification.FaultsOf(err) {
		fields = append(fields, fault.Field)
	}
	want := "message.android.notification.clickAction message.android.notification.channelID message.data.n"
	if got := strings.Join(fields, " "); got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}
