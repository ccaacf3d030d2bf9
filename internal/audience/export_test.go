package audience

import (
	"strings"
	"testing"
)

// An opt-out is about the user. It counts on an inactive endpoint, too.
func TestOptOutsOfInactiveEndpointsCount(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]Reason{
		`"OptOut":"ALL","EndpointStatus":"INACTIVE"`:  OptedOut,
		`"OptOut":"NONE","EndpointStatus":"INACTIVE"`: Inactive,
	} {
		line := `{"ChannelType":"GCM","Address":"a:APA91b",` + text + `,"User":{"UserId":"u1"}}`
		export, err := OpenExport(strings.NewReader(line), Pinpoint)
		if err != nil {
			t.Fatal(err)
		}
		if got, err := export.Next(); got.Reason != want || got.UserID != "u1" || err != nil {
			t.Errorf("%s: %q of user %q, error %v; want %q", text, got.Reason, got.UserID, err, want)
		}
	}
}

// A token of APNs has 32 bytes or more.
func TestTokensOfAPNsAreNotFCMs(t *testing.T) {
	t.Parallel()
	const digits = "0123456789abcdefABCDEF0123456789"
	for text, want := range map[string]Reason{
		digits + digits: NotToken, digits + digits + "00": NotToken, digits + digits[:31]: "", digits + "g" + digits: "",
	} {
		if _, got := judgeAddress(text); got != want {
			t.Errorf("%s: %q, want %q", text, got, want)
		}
	}
}
