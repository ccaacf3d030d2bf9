package store

import (
	"reflect"
	"testing"

	"fanfare/internal/notification"
)

func TestUnknownCampaignHasNoDeliveries(t *testing.T) {
	t.Parallel()
	onBoth(t, Options{}, func(t *testing.T, s *Store) {
		summary, err := s.Summary(t.Context(), "42")
		if err != nil || summary.Total() != 0 || len(summary.Counts) != len(notification.Statuses) {
			t.Errorf("summary %+v (%v)", summary, err)
		}
		deliveries, err := s.Deliveries(t.Context(), "42", "u")
		if err != nil || len(deliveries) != 0 {
			t.Errorf("deliveries %+v (%v)", deliveries, err)
		}
	})
}

func TestRowHoldsWholeResult(t *testing.T) {
	t.Parallel()
	onBoth(t, Options{}, func(t *testing.T, s *Store) {
		full := notification.Result{
			CampaignID: "42", UserID: `ü"\{},'`, ResultID: "c:1", Status: notification.StatusFailed, MessageID: "projects/p/messages/1",
			ErrorCode: "UNREGISTERED", Error: "not a\nknown “token”", Attempts: 3, TokenRemoved: true, At: at, Variant: "émoji", Locale: "pt-BR",
		}
		secret := full
		secret.Token = "the-removed-token"
		apply(t, s, secret)
		got, err := s.Deliveries(t.Context(), "42", full.UserID)
		if err != nil {
			t.Fatal(err)
		}
		if want := []notification.Result{full}; !reflect.DeepEqual(got, want) {
			t.Errorf("got  %+v\nwant %+v", got, want)
		}
	})
}

func TestRepeatedUserHasTwoRows(t *testing.T) {
	t.Parallel()
	onBoth(t, Options{}, func(t *testing.T, s *Store) {
		second := outcome("42", "u", "c:2", notification.StatusFailed)
		first := outcome("42", "u", "c:1", notification.StatusSent)
		apply(t, s, second, first, outcome("42", "v", "c:3", notification.StatusSent), outcome("43", "u", "d:1", notification.StatusSent))
		got, err := s.Deliveries(t.Context(), "42", "u")
		if err != nil {
			t.Fatal(err)
		}
		if want := []notification.Result{first, second}; !reflect.DeepEqual(got, want) {
			t.Errorf("got  %+v\nwant %+v", got, want)
		}
	})
}
