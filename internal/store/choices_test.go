package store

import (
	"slices"
	"testing"

	"fanfare/internal/notification"
)

// chosen returns an outcome with a variant and a language.
func chosen(user, variant, locale string, status notification.Status) notification.Result {
	r := outcome("42", user, "1", status)
	r.Variant, r.Locale = variant, locale
	return r
}

// Outcomes are counted by variant and language, those of other campaigns not. A lower rank that
// comes later changes neither.
func TestChoicesAreCounted(t *testing.T) {
	t.Parallel()
	for name, url := range map[string]string{"sqlite": sqliteURL(t), "postgres": server.Database(t)} {
		t.Run(name, func(t *testing.T) {
			s := migrated(t, url, Options{})
			held := chosen("held", "", "", notification.StatusSkipped)
			held.ErrorCode = notification.CodeHoldout
			apply(t, s, chosen("u1", "a", "pt", notification.StatusSent), chosen("u2", "a", "pt", notification.StatusSent),
				chosen("u3", "a", "", notification.StatusFailed), chosen("u4", "b", "vi", notification.StatusSent), held,
				chosen("", "", "", notification.StatusFailed), outcome("43", "u1", "1", notification.StatusSent))
			apply(t, s, chosen("u1", "b", "vi", notification.StatusSkipped))
			checkChoices(t, s, []ChoiceCount{
				{Status: notification.StatusFailed, Nameless: true, N: 1},
				{Status: notification.StatusSkipped, HeldOut: true, N: 1},
				{Variant: "a", Status: notification.StatusFailed, N: 1},
				{Variant: "a", Locale: "pt", Status: notification.StatusSent, N: 2},
				{Variant: "b", Locale: "vi", Status: notification.StatusSent, N: 1},
			})
		})
	}
}

func checkChoices(t *testing.T, s *Store, want []ChoiceCount) {
	t.Helper()
	found, err := s.Choices(t.Context(), "42")
	if err != nil || !slices.Equal(found, want) {
		t.Errorf("got %+v (%v), want %+v", found, err, want)
	}
}

// A reader that is newer than the tables counts what they have.
func TestChoicesOfOlderTables(t *testing.T) {
	t.Parallel()
	for name, url := range map[string]string{"sqlite": sqliteURL(t), "postgres": server.Database(t)} {
		t.Run(name, func(t *testing.T) {
			for _, version := range []int64{4, 5} {
				variant := ""
				s := migratedTo(t, url, version)
				if version == 4 {
					insertOld(t, s, outcome("42", "u1", "1", notification.StatusSent))
				} else {
					variant = "a"
					execute(t, s, `UPDATE fanfare_deliveries SET variant = 'a'`)
				}
				checkChoices(t, s, []ChoiceCount{{Variant: variant, Status: notification.StatusSent, N: 1}})
			}
			s := migrated(t, url, Options{})
			checkChoices(t, s, []ChoiceCount{{Variant: "a", Status: notification.StatusSent, N: 1}})
			apply(t, s, chosen("u2", "b", "pt-BR", notification.StatusSent))
			found, err := s.Deliveries(t.Context(), "42", "u2")
			if err != nil || len(found) != 1 || found[0].Locale != "pt-BR" {
				t.Errorf("got %+v (%v), want the language of the outcome", found, err)
			}
		})
	}
}
