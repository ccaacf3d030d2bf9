package notification_test

import (
	"testing"

	"fanfare/internal/notification"
)

// A stored status gives way to one of a higher rank. A text that is no status replaces none. Stores
// keep the ranks, so they never change.
func TestRanksAscend(t *testing.T) {
	t.Parallel()
	for status, want := range map[notification.Status]int{"lost": 0, "unknown": 1, "expired": 2, "skipped": 3, "failed": 4, "sent": 5} {
		if got := status.Rank(); got != want {
			t.Errorf("%s has rank %d, want %d", status, got, want)
		}
	}
}

// Records that people read have no removed address. The result itself keeps them.
func TestRemovedTokensAreCleared(t *testing.T) {
	t.Parallel()
	whole := notification.Result{Token: "tok-1", Devices: []notification.DeviceResult{{Token: "tok-2", Address: "tok…"}, {Token: "tok-3"}}}
	shown := whole
	shown.RemoveTokens()
	if shown.Token != "" || shown.Devices[0].Token != "" || shown.Devices[1].Token != "" || shown.Devices[0].Address != "tok…" {
		t.Errorf("shown as %+v", shown)
	}
	if whole.Token != "tok-1" || whole.Devices[0].Token != "tok-2" {
		t.Errorf("the result became %+v", whole)
	}
}

// Only codes that are on no list are rare.
func TestRareCodes(t *testing.T) {
	t.Parallel()
	for code, want := range map[string]bool{"": false, "NO_TOKEN": false, "MOVED": false, "OTHER": false, "UNREGISTERED": false, "DATA_LOSS": false, "NEW": true} {
		if got := notification.IsRareCode(code); got != want {
			t.Errorf("%q is rare: %v", code, got)
		}
	}
}
