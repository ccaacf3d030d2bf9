package store

import (
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"fanfare/internal/notification"
)

// Entries are stored once, and read in their order.
func TestHistory(t *testing.T) {
	onBoth(t, Options{}, func(t *testing.T, s *Store) {
		at := time.Date(2026, 3, 4, 5, 6, 7, int(89*time.Millisecond), time.UTC)
		entries := []notification.HistoryEntry{
			{ID: "1772600767089-0", At: at, What: "created", Who: "ann@host"},
			{ID: "1772600767089-1", At: at, What: "loaded", N: 20_000_000},
			{ID: "1772600767090-0", At: at.Add(time.Millisecond), What: "paused", Who: "breaker", Detail: "5 of 5 → 404"},
		}
		for _, some := range [][]notification.HistoryEntry{entries[2:], entries[:2], entries} {
			if err := s.AddHistory(t.Context(), "42", some); err != nil {
				t.Fatal(err)
			}
		}
		changed := slices.Clone(entries[:1])
		changed[0].Who = "bob@host"
		if err := s.AddHistory(t.Context(), "42", changed); err != nil {
			t.Fatal(err)
		}
		if err := s.AddHistory(t.Context(), "43", entries[:1]); err != nil {
			t.Fatal(err)
		}
		if got, err := s.History(t.Context(), "42"); err != nil || !reflect.DeepEqual(got, entries) {
			t.Errorf("got %+v (%v), want %+v", got, err, entries)
		}
		execute(t, s, `DROP TABLE fanfare_history`)
		if _, err := s.History(t.Context(), "42"); err == nil || !strings.Contains(err.Error(), "start a responder") {
			t.Errorf("without the table: %v", err)
		}
	})
}
