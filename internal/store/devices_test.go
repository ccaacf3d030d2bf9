package store

import (
	"errors"
	"fmt"
	"reflect"
	"testing"

	"pgregory.net/rapid"

	"fanfare/internal/notification"
)

// withDevices returns a result of a user with a phone and a tablet.
func withDevices(user string, phone, tablet notification.Status) notification.Result {
	best := phone
	if tablet.Rank() > best.Rank() {
		best = tablet
	}
	r := outcome("42", user, "1", best)
	r.Devices = []notification.DeviceResult{
		{Address: "cAAAAA…AAAA", Kind: "fid", Platform: "ios", Status: phone, MessageID: "m-" + string(phone), Attempts: 1, Locale: "pt"},
		{Address: "cBBBBB…BBBB", Kind: "token", Status: tablet, ErrorCode: "UNREGISTERED", Attempts: 2, TokenRemoved: true, Token: "tablet"},
	}
	return r
}

// storedDevices returns the devices as SQL has them: removed addresses are not stored.
func storedDevices(r notification.Result) []notification.DeviceResult {
	devices := append([]notification.DeviceResult(nil), r.Devices...)
	for i := range devices {
		devices[i].Token = ""
	}
	return devices
}

func expectDevices(t *testing.T, s *Store, user string, want []notification.DeviceResult) {
	t.Helper()
	got, err := s.Deliveries(t.Context(), "42", user)
	if err != nil || len(got) != 1 || !reflect.DeepEqual(got[0].Devices, want) {
		t.Errorf("%s has %+v (%v), want %+v", user, got, err, want)
	}
}

func TestDevicesAreStored(t *testing.T) {
	t.Parallel()
	onBoth(t, Options{}, func(t *testing.T, s *Store) {
		a, plain := withDevices("a", notification.StatusSent, notification.StatusFailed), outcome("42", "plain", "2", notification.StatusSent)
		apply(t, s, a, plain, withDevices("b", notification.StatusUnknown, notification.StatusFailed))
		expectDevices(t, s, "a", storedDevices(a))
		expectDevices(t, s, "plain", nil)
		if of, err := s.UserDeliveries(t.Context(), "a", 10); err != nil || len(of) != 1 || len(of[0].Devices) != 2 {
			t.Errorf("outcomes of a: %+v, %v", of, err)
		}
		found := map[string]int{}
		for r, err := range s.CampaignDeliveries(t.Context(), "42", Filter{}) {
			if err != nil {
				t.Fatal(err)
			}
			found[r.UserID] = len(r.Devices)
		}
		if want := map[string]int{"a": 2, "b": 2, "plain": 0}; !reflect.DeepEqual(found, want) {
			t.Errorf("devices of the campaign's users: %v, want %v", found, want)
		}
	})
}

// The status of a device never regresses, whatever the order and the batches.
func TestDevicesKeepTheirHighestRank(t *testing.T) {
	t.Parallel()
	onBoth(t, Options{}, func(t *testing.T, s *Store) {
		run := 0
		rapid.Check(t, func(rt *rapid.T) {
			run++
			user := fmt.Sprint("u", run)
			status := rapid.SampledFrom(notification.Statuses)
			var want [2]notification.Status
			for range rapid.IntRange(1, 3).Draw(rt, "batches") {
				var batch []notification.Result
				for range rapid.IntRange(1, 3).Draw(rt, "copies") {
					r := withDevices(user, status.Draw(rt, "phone"), status.Draw(rt, "tablet"))
					for i, d := range r.Devices {
						if d.Status.Rank() > want[i].Rank() {
							want[i] = d.Status
						}
					}
					batch = append(batch, r)
				}
				if err := s.Apply(t.Context(), batch); err != nil {
					rt.Fatal(err)
				}
			}
			got, err := s.Deliveries(t.Context(), "42", user)
			if err != nil || len(got) != 1 || len(got[0].Devices) != 2 {
				rt.Fatalf("%+v, %v", got, err)
			}
			for i, d := range got[0].Devices {
				if d.Status != want[i] || i == 0 && d.MessageID != "m-"+string(want[i]) {
					rt.Errorf("device %d: %+v, want %s", i, d, want[i])
				}
			}
		})
	})
}

// The rows of devices go with that of their outcome.
func TestDevicesAreDeletedWithTheirOutcome(t *testing.T) {
	t.Parallel()
	onBoth(t, Options{}, func(t *testing.T, s *Store) {
		rows := func(want int) {
			t.Helper()
			var n int
			if err := plain(t, s).QueryRowContext(t.Context(), `SELECT count(*) FROM fanfare_delivery_devices`).Scan(&n); err != nil || n != want {
				t.Errorf("%d rows of devices (%v), want %d", n, err, want)
			}
		}
		apply(t, s, withDevices("a", notification.StatusSent, notification.StatusSent), withDevices("b", notification.StatusSent, notification.StatusSent))
		rows(4)
		execute(t, s, `DELETE FROM fanfare_deliveries WHERE user_id = 'a'`)
		rows(2)
		if onPostgres(s) {
			execute(t, s, `TRUNCATE fanfare_deliveries`)
			rows(0)
		}
	})
}

func TestRemovedAddressesOfDevicesAreCleared(t *testing.T) {
	t.Parallel()
	clearing := Options{TokenClear: `DELETE FROM devices WHERE user_id = $1 AND address = $2`}
	onBoth(t, clearing, func(t *testing.T, s *Store) {
		execute(t, s, `CREATE TABLE devices (user_id text, address text)`,
			`INSERT INTO devices VALUES ('a', 'tablet'), ('a', 'cFID'), ('a', 'phone'), ('b', 'tablet')`)
		r := withDevices("a", notification.StatusFailed, notification.StatusFailed)
		r.Devices[0].TokenRemoved, r.Devices[0].Token = true, " cFID"
		apply(t, s, r)
		var left string
		if err := plain(t, s).QueryRowContext(t.Context(), `SELECT min(user_id || ' ' || address) || ', ' || max(user_id || ' ' || address) FROM devices`).Scan(&left); err != nil || left != "a phone, b tablet" {
			t.Errorf("left are %s (%v)", left, err)
		}
	})
}

func TestImpossibleDevicesAreRefused(t *testing.T) {
	t.Parallel()
	s := migrated(t, sqliteURL(t), Options{})
	for field, spoil := range map[string]func(*notification.Result){
		"devices[1].status":   func(r *notification.Result) { r.Devices[1].Status = "delivered" },
		"devices[0].attempts": func(r *notification.Result) { r.Devices[0].Attempts = -1 },
		"devices[1].platform": func(r *notification.Result) { r.Devices[1].Platform = "i\x00s" },
		"devices[0].fcmToken": func(r *notification.Result) { r.Devices[0].Token = "\xff" },
		"devices":             func(r *notification.Result) { r.Devices = make([]notification.DeviceResult, maxDevices+1) },
	} {
		r := withDevices("a", notification.StatusSent, notification.StatusSent)
		spoil(&r)
		err := s.Apply(t.Context(), []notification.Result{r})
		if wrong, ok := errors.AsType[*DataError](err); !ok || wrong.Field != field {
			t.Errorf("%s: %v", field, err)
		}
	}
}

// A reader that is newer than the tables shows outcomes without devices.
func TestDevicesOfAnEarlierVersion(t *testing.T) {
	t.Parallel()
	for name, url := range map[string]string{"sqlite": sqliteURL(t), "postgres": server.Database(t)} {
		t.Run(name, func(t *testing.T) {
			s := migratedTo(t, url, 3)
			insertOld(t, s, outcome("42", "a", "1", notification.StatusSent))
			expectDevices(t, s, "a", nil)
			if err := s.Migrate(t.Context()); err != nil {
				t.Fatal(err)
			}
			b := withDevices("b", notification.StatusSent, notification.StatusSkipped)
			apply(t, s, b)
			expectDevices(t, s, "b", storedDevices(b))
		})
	}
}
