package store

import (
	"fmt"
	"reflect"
	"testing"

	"fanfare/internal/notification"
)

func TestSearchFindsOneStatusPageByPage(t *testing.T) {
	onBoth(t, Options{}, func(t *testing.T, s *Store) {
		want := map[notification.Status][]notification.Result{}
		for i := range 40 {
			status := notification.Statuses[i%len(notification.Statuses)]
			// Some users appear twice, so pages end between the outcomes of one user.
			r := outcome("42", fmt.Sprintf("u%02d", i/10), fmt.Sprintf("%02d", i), status)
			want[status] = append(want[status], r)
			apply(t, s, r, outcome("43", r.UserID, r.ResultID, status))
		}
		for _, status := range notification.Statuses {
			var got []notification.Result
			q := Search{CampaignID: "42", Status: status, Limit: 3}
			for {
				page, err := s.Search(t.Context(), q)
				if err != nil {
					t.Fatal(err)
				}
				got = append(got, page...)
				if len(page) < q.Limit {
					break
				}
				q.After = page[len(page)-1]
			}
			if !reflect.DeepEqual(got, want[status]) {
				t.Errorf("%s: got\n%+v, want\n%+v", status, got, want[status])
			}
		}
	})
}

func TestPageHasAtLeastOneDelivery(t *testing.T) {
	onBoth(t, Options{}, func(t *testing.T, s *Store) {
		apply(t, s, outcome("42", "u", "1", notification.StatusSent), outcome("42", "v", "2", notification.StatusSent))
		for _, limit := range []int{0, -1, 1} {
			page, err := s.Search(t.Context(), Search{CampaignID: "42", Status: notification.StatusSent, Limit: limit})
			if err != nil || len(page) != 1 {
				t.Errorf("limit %d: %d deliveries, %v", limit, len(page), err)
			}
		}
	})
}

func TestUnknownCampaignHasNoDeliveries(t *testing.T) {
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
	onBoth(t, Options{}, func(t *testing.T, s *Store) {
		full := notification.Result{
			CampaignID: "42", UserID: `ü"\{},'`, ResultID: "c:1", Status: notification.StatusFailed, MessageID: "projects/p/messages/1",
			ErrorCode: "UNREGISTERED", Error: "not a\nknown “token”", Attempts: 3, TokenRemoved: true, At: at,
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
