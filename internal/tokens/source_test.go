package tokens_test

import (
	"context"
	"fmt"
	"slices"
	"time"

	"fanfare/internal/notification"
	"fanfare/internal/tokens"
)

// devicesTable is an SQL table with several rows of a user.
type devicesTable struct {
	*table
	devices map[string][]notification.Device
	asked   int
	during  func() // called during a query
}

func (t *devicesTable) Devices(_ context.Context, users []string) (map[string][]notification.Device, error) {
	t.asked++
	if t.during != nil {
		t.during()
	}
	found := make(map[string][]notification.Device)
	for _, user := range users {
		if devices := t.devices[user]; len(devices) > 0 {
			found[user] = devices
		}
	}
	return found, nil
}

// withDevices gives the rig a table of devices.
func (b *rig) withDevices(devices map[string][]notification.Device) *devicesTable {
	b.Helper()
	source := &devicesTable{table: b.sql, devices: devices}
	store, err := tokens.New(b.rdb, b.names, source, tokens.Options{SQL: b.sql})
	if err != nil {
		b.Fatal(err)
	}
	b.store = store
	return source
}

// manyDevicesOfSQLAreKept, though a call of Redis' Lua takes fewer values.
func manyDevicesOfSQLAreKept(b *rig) {
	const rows = 9000
	all := make([]notification.Device, rows)
	for i := range all {
		all[i] = notification.Device{Target: notification.ParseToken(fmt.Sprintf("token-%d", i)), Platform: "ios"}
	}
	source := b.withDevices(map[string][]notification.Device{"many": all})
	for range 2 {
		found, err := b.store.Lookup(b.Context(), []string{"many"})
		if err != nil || len(found["many"]) == 0 {
			b.Errorf("got %d devices (%v)", len(found["many"]), err)
		}
	}
	key := b.names.Devices("many")
	kept, err := b.rdb.HLen(b.Context(), key).Result()
	ttl := b.rdb.PTTL(b.Context(), key).Val()
	if err != nil || kept != rows || ttl <= 0 || source.asked != 1 {
		b.Errorf("Redis keeps %d of %d devices (%v) for %v; SQL was asked %d times", kept, rows, err, ttl, source.asked)
	}
}

// devicesOfSQLAreKept in Redis: a lone token in its string, all else in the hash, with an expiry.
func devicesOfSQLAreKept(b *rig) {
	seen := time.Date(2026, 11, 1, 10, 0, 0, 0, time.UTC)
	source := b.withDevices(map[string][]notification.Device{
		"one":     {{Target: notification.ParseToken("phone\n")}},
		"fid":     {{Target: notification.ParseFID(fidA)}},
		"details": {{Target: notification.ParseToken("phone"), Platform: "ios"}},
		"two":     {{Target: notification.ParseToken("tablet")}, {Target: notification.ParseToken("phone"), Locale: "de", LastSeen: seen}},
		"moved":   {{Target: notification.ParseToken(fidA + ":old")}, {Target: notification.ParseFID(fidA)}},
		"invalid": {{Target: notification.ParseToken("two words")}, {Target: notification.ParseToken("good")}},
	})
	for range 3 {
		b.expectAddresses("one", "token phone")
		b.expectAddresses("fid", "fid "+fidA)
		b.expectAddresses("details", "token phone")
		b.expectAddresses("two", "token phone", "token tablet")
		b.expectAddresses("moved", "fid "+fidA)
		b.expectAddresses("invalid", "token good")
	}
	if source.asked != 6 {
		b.Errorf("SQL was asked %d times, want once for each user", source.asked)
	}
	if devices, err := b.store.Get(b.Context(), "two"); err != nil || devices[0].Locale != "de" || !devices[0].LastSeen.Equal(seen) {
		b.Errorf("kept are %+v, error %v", devices, err)
	}
	if b.stored("one") != "phone\n" || len(b.fields("one")) != 0 || len(b.fields("moved")) != 2 {
		b.Errorf("Redis holds %q, %v and %v", b.stored("one"), b.fields("one"), b.fields("moved"))
	}
	if left := b.rdb.PTTL(b.Context(), b.names.Devices("two")).Val(); left < 21*time.Hour || left > 27*time.Hour {
		b.Errorf("the devices are kept for %s, want a day ±10%%", left)
	}
}

// deadDevicesOfSQLStayAway while the responder has not cleared them, also when one dies during a
// look-up.
func deadDevicesOfSQLStayAway(b *rig) {
	phone, tablet := notification.ParseToken("phone"), notification.ParseToken("tablet")
	source := b.withDevices(map[string][]notification.Device{"u": {{Target: phone}, {Target: tablet}}})
	source.during = func() {
		source.during = nil
		if _, err := b.store.Forget(b.Context(), "u", phone, "42"); err != nil {
			b.Error(err)
		}
	}
	b.expectAddresses("u", "token tablet")
	b.expectAddresses("u", "token tablet")
	found := b.forgetDevice("u", tablet)
	if !found.Removed || !found.InSQL.IsSame(tablet) {
		b.Errorf("forgotten: %+v", found)
	}
	b.rdb.Del(b.Context(), b.names.Devices("u"))
	b.expectAddresses("u")
	source.devices["u"] = append(source.devices["u"], notification.Device{Target: notification.ParseFID(fidB)})
	b.rdb.Del(b.Context(), b.names.Devices("u"))
	if got := b.addresses("u"); !slices.Equal(got, []string{"fid " + fidB}) {
		b.Errorf("with a new device: %q", got)
	}
	if held := b.fields("u"); len(held) != 1 {
		b.Errorf("Redis holds %v", held)
	}
}
