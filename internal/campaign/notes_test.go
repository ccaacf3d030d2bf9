package campaign

import (
	"maps"
	"slices"
	"testing"
	"time"

	"fanfare/internal/notification"
	"fanfare/internal/queue"
)

// Every status has a figure of its own, and all of them together are everyone who ended. A status
// that no version has written yet is unknown.
func TestEachStatusIsCounted(t *testing.T) {
	b := booksOf(queue.Counts{Ended: map[string]int64{"sent": 1, "failed": 2, "skipped": 4, "expired": 8, "unknown": 16}})
	for range 2 {
		if got, want := []int64{b.Sent, b.Failed, b.Skipped, b.Expired, b.Unknown}, []int64{1, 2, 4, 8, 16}; !slices.Equal(got, want) || b.CountEnded() != 31 {
			t.Errorf("figures %v of %d, want %v", got, b.CountEnded(), want)
		}
		b = Books{}
		for status, n := range map[notification.Status]int64{"sent": 1, "failed": 2, "skipped": 4, "expired": 8, "unknown": 10, "new": 6} {
			b.AddEnded(status, n)
		}
	}
}

// The further devices of users are added to their best ones, by status and by code.
func TestBooksOfDevices(t *testing.T) {
	ended, codes := map[string]int64{"sent": 3, "failed": 1}, map[string]int64{"failed:UNREGISTERED": 1}
	notes := map[string]string{
		"note:devices": "5", "note:devices:sent": "2", "note:devices:failed": "3",
		"note:devices:failed:UNREGISTERED": "1", "note:devices:failed:INVALID_ARGUMENT": "2", "note:variant:a:sent": "3",
	}
	d := booksOf(queue.Counts{Ended: ended, Codes: codes, Notes: notes}).Devices
	if d == nil || d.Total != 9 || d.Sent != 5 || d.Failed != 4 || !d.IsBalanced() {
		t.Fatalf("devices %+v, want 9, of which 5 are sent to", d)
	}
	if want := map[string]int64{"failed:UNREGISTERED": 2, "failed:INVALID_ARGUMENT": 2}; !maps.Equal(d.Codes, want) {
		t.Errorf("codes %v, want %v", d.Codes, want)
	}
	delete(notes, "note:devices")
	if d := booksOf(queue.Counts{Ended: ended, Codes: codes, Notes: notes}).Devices; d != nil {
		t.Errorf("users with one device each have books of devices: %+v", d)
	}
}

// A device is counted by its status and code. Codes that only a hostile endpoint makes up share
// one.
func TestNotesOfADevice(t *testing.T) {
	for code, want := range map[string][]string{
		"":             {"devices", "devices:failed"},
		"UNREGISTERED": {"devices", "devices:failed", "devices:failed:UNREGISTERED"},
		"MADE_UP_7":    {"devices", "devices:failed", "devices:failed:OTHER"},
	} {
		if got := NotesOfDevice(notification.StatusFailed, code); !slices.Equal(got, want) {
			t.Errorf("%q: %q, want %q", code, got, want)
		}
	}
}

// Each choice and status has a count of its own.
func TestChoicesAreCountedApart(t *testing.T) {
	var b Books
	for range 2 {
		b.AddVariant("a", notification.StatusSent, 1)
		b.AddVariant("b", notification.StatusSent, 10)
		b.AddVariant("a", notification.StatusFailed, 100)
		b.AddLocale("de", notification.StatusSent, 1000)
	}
	for what, c := range map[string]struct{ got, want StatusCounts }{
		"a":  {b.Variants["a"], StatusCounts{notification.StatusSent: 2, notification.StatusFailed: 200}},
		"b":  {b.Variants["b"], StatusCounts{notification.StatusSent: 20}},
		"de": {b.Locales["de"], StatusCounts{notification.StatusSent: 2000}},
	} {
		if !maps.Equal(c.got, c.want) {
			t.Errorf("%s: %v, want %v", what, c.got, c.want)
		}
	}
}

// A recipient counts for the first lateness that is not exceeded. Notes that say nothing are left
// out.
func TestWavesOfNotes(t *testing.T) {
	opens := time.Unix(1_700_000_000, 0).UTC()
	notes := map[string]string{
		noteOf("wave:1700000000"): "7", noteOf("wave:soon:0"): "7", noteOf("wave:1700000000:late"): "7", noteOf("other:1:2"): "7",
	}
	for _, late := range []time.Duration{0, time.Minute, 61 * time.Second, 5 * time.Minute, 15 * time.Minute, time.Hour, time.Hour + 1} {
		name := noteOf(NoteOfWave(opens, late))
		notes[name] = string(rune('1' + parseCount(notes[name])))
	}
	want := Wave{Opens: opens, Sent: 7, Within1m: 2, Within5m: 4, Within15m: 5, Within1h: 6}
	if got := wavesOf(notes); len(got) != 1 || got[0] != want {
		t.Errorf("waves %+v, want %+v", got, want)
	}
}

// noteOf is the field of a note in the counts.
func noteOf(name string) string { return "note:" + name }
