package tokens_test

import (
	"bytes"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/alicebob/miniredis/v2"

	"fanfare/internal/notification"
	"fanfare/internal/tokens"
	"fanfare/test/backends"
)

func setAndRemoveDevices(b *rig) {
	ctx := b.Context()
	must := func(err error) {
		b.Helper()
		if err != nil {
			b.Fatal(err)
		}
	}
	device := notification.Device{Target: notification.ParseFID(fidA), Platform: "ios", Locale: "pt-BR", LastSeen: time.Date(2026, 11, 1, 10, 0, 0, 0, time.UTC)}
	b.set("u", "phone")
	b.setDevices("u", "tablet", "")
	must(b.rdb.PExpire(ctx, b.names.Devices("u"), time.Hour).Err())
	must(b.store.SetDevice(ctx, "u", device))
	must(b.store.SetDevice(ctx, "u", notification.Device{Target: notification.ParseToken(fidA + ":older")}))
	if left := b.rdb.PTTL(ctx, b.names.Devices("u")).Val(); left >= 0 {
		b.Errorf("a device that was set expires in %v, want never", left)
	}
	all, err := b.store.GetAll(ctx, "u")
	if used := describe(all.Used); err != nil || !slices.Equal(used, []string{"fid " + fidA, "token phone", "token tablet"}) || all.Used[0] != device {
		b.Errorf("used %+v, error %v", all.Used, err)
	}
	if unused := describe(all.Unused); !slices.Equal(unused, []string{"token " + fidA + ":older"}) {
		b.Errorf("not used: %q, want the token of the FID's device", unused)
	}
	for _, c := range []struct {
		address notification.Target
		existed bool
	}{{device.Target, true}, {device.Target, false}, {notification.ParseToken("\"phone\""), true}, {notification.ParseToken("tablet"), true}} {
		if existed, err := b.store.RemoveAddress(ctx, "u", c.address); err != nil || existed != c.existed {
			b.Errorf("remove %s: %v %v, want %v", c.address, existed, err, c.existed)
		}
	}
	b.expectAddresses("u", "token "+fidA+":older")
	b.set("u", fidA+":older")
	if n, err := b.store.RemoveAll(ctx, "u"); n != 1 || err != nil {
		b.Errorf("removed %d addresses, %v, want the one", n, err)
	}
	b.expectAddresses("u")
	for _, bad := range []notification.Target{{}, notification.ParseFID("a:b"), notification.ParseToken("two words")} {
		if err := b.store.SetDevice(ctx, "u", notification.Device{Target: bad}); err == nil {
			b.Errorf("%q was stored", bad.Text())
		}
	}
}

func importDevices(b *rig) {
	devices := map[string]notification.Device{
		"plain":  {Target: notification.ParseToken("phone")},
		"fid":    {Target: notification.ParseFID(fidA)},
		"locale": {Target: notification.ParseToken("tablet"), Locale: "de"},
	}
	if n, err := b.store.Import(b.Context(), maps.All(devices)); n != 3 || err != nil {
		b.Fatalf("imported %d, %v, want 3", n, err)
	}
	if b.stored("plain") != "phone" || b.stored("fid") != "" || b.stored("locale") != "" {
		b.Error("a token alone is the user's token, all else is a device")
	}
	b.expectAddresses("fid", "fid "+fidA)
	if found, err := b.store.Get(b.Context(), "locale"); err != nil || len(found) != 1 || found[0] != devices["locale"] {
		b.Errorf("got %+v, %v", found, err)
	}
	bad := map[string]notification.Device{"u": {Target: notification.ParseFID("a:b")}}
	if n, err := b.store.Import(b.Context(), maps.All(bad)); n != 0 || !errors.Is(err, tokens.ErrInvalidToken) {
		b.Errorf("a token as FID: %d, %v", n, err)
	}
}

func newestDevicesAreUsed(b *rig) {
	fields := make([]string, 0, 60)
	var want []string
	for i := range 30 {
		fields = append(fields, fmt.Sprintf("t%02d", i), fmt.Sprintf(`{"lastUse":"2026-11-%02dT10:00:00Z"}`, i+1))
		if i >= 10 {
			want = append(want, fmt.Sprintf("token t%02d", i))
		}
	}
	slices.Reverse(want)
	b.setDevices("many", fields...)
	b.setDevices("few", "t", "")
	b.expectAddresses("many", want...)
	b.expectAddresses("few", "token t")
	all, err := b.store.GetAll(b.Context(), "many")
	if err != nil || len(all.Used) != notification.MaxDevices || len(all.Unused) != 10 {
		b.Errorf("%d used, %d not, error %v", len(all.Used), len(all.Unused), err)
	}
}

// Devices in SQL are limited in the same way, and a warning counts those that get nothing.
func TestDevicesOverTheLimitAreCounted(t *testing.T) {
	b := newRig(t, backends.Connect(t, miniredis.RunT(t).Addr()))
	var log bytes.Buffer
	source := &devicesTable{table: b.sql, devices: map[string][]notification.Device{}}
	for i := range 25 {
		source.devices["many"] = append(source.devices["many"], notification.Device{
			Target: notification.ParseToken(fmt.Sprintf("t%02d", i)), LastSeen: time.Date(2026, 11, 1, i%24, i, 0, 0, time.UTC),
		})
	}
	store, err := tokens.New(b.rdb, b.names, source, tokens.Options{Logger: slog.New(slog.NewTextHandler(&log, nil))})
	if err != nil {
		t.Fatal(err)
	}
	for range 2 { // from SQL, then from Redis
		found, err := store.Get(t.Context(), "many")
		if err != nil || len(found) != notification.MaxDevices || found[0].Target.Value != "t23" {
			t.Errorf("got %q, %v", describe(found), err)
		}
	}
	if said := log.String(); strings.Count(said, "users have more devices than the limit") != 1 || !strings.Contains(said, "users=1 devices=5 limit=20 example=many") {
		t.Errorf("logged %s", said)
	}
}
