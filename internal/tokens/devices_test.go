package tokens_test

import (
	"context"
	"errors"
	"fmt"
	"reflect"
	"slices"
	"testing"
	"time"

	"github.com/alicebob/miniredis/v2"
	"github.com/redis/go-redis/v9"

	"fanfare/internal/notification"
	"fanfare/internal/tokens"
	"fanfare/test/backends"
	"fanfare/test/servers"
)

const (
	fidA = "cAAAAAAAAAAAAAAAAAAAAA"
	fidB = "dBBBBBBBBBBBBBBBBBBBBB"
)

// setDevices stores a user's devices, as the application does.
func (b *rig) setDevices(user string, fields ...string) {
	b.Helper()
	if err := b.rdb.HSet(b.Context(), b.names.Devices(user), fields).Err(); err != nil {
		b.Fatal(err)
	}
}

// addresses returns the user's addresses as "kind value", in order.
func (b *rig) addresses(user string) []string {
	b.Helper()
	devices, err := b.store.Get(b.Context(), user)
	if err != nil {
		b.Error(err)
	}
	return describe(devices)
}

func describe(devices []notification.Device) []string {
	var all []string
	for _, d := range devices {
		kind := map[notification.TargetKind]string{notification.TargetToken: "token ", notification.TargetFID: "fid "}[d.Target.Kind]
		all = append(all, kind+d.Target.Value)
	}
	return all
}

func (b *rig) expectAddresses(user string, want ...string) {
	b.Helper()
	if got := b.addresses(user); !slices.Equal(got, want) {
		b.Errorf("%s has %q, want %q", user, got, want)
	}
}

func devicesBesideToken(b *rig) {
	b.set("both", "phone")
	b.setDevices("both", fidA, `{"kind":"fid","platform":"iOS","locale":"pt-BR","lastUse":"2026-11-01T10:00:00Z"}`, "tablet", "")
	b.setDevices("devices only", fidB, "")
	b.set("token only", "phone")
	b.set("empty hash", "phone")
	b.setDevices("unusable", "two words", "")
	b.set("unusable", "phone")
	b.sql.rows = map[string]string{"devices only": "never asked", "in SQL": "stored"}
	for range 3 { // the second lookup reads all hashes at once
		b.expectAddresses("both", "fid "+fidA, "token phone", "token tablet")
		b.expectAddresses("devices only", "fid "+fidB)
		b.expectAddresses("token only", "token phone")
		b.expectAddresses("unusable", "token phone")
		b.expectAddresses("in SQL", "token stored")
		b.expectAddresses("absent")
	}
	found, err := b.store.Peek(b.Context(), []string{"token only", "both"})
	want := notification.Device{
		Target: notification.ParseFID(fidA), Platform: "ios", Locale: "pt-BR", LastSeen: time.Date(2026, 11, 1, 10, 0, 0, 0, time.UTC),
	}
	if err != nil || len(found["both"]) != 3 || found["both"][0] != want || len(found["token only"]) != 1 {
		b.Errorf("peeked %v, error %v", found, err)
	}
}

// devicesInAnyForm are read with what programs write as values. The newest comes first.
func devicesInAnyForm(b *rig) {
	b.setDevices("u",
		"a", "1767225600", "b", "1767225601000", "c", `"2026-01-01T00:00:02Z"`, "d", `{"last_seen":1767225603}`,
		"e", `{"LastUsedAt":"1767225604"}`, "f", `{"lastUse":"2026-01-01 00:00:05+00"}`, "g", "2026-01-01 00:00:06",
		"h", `{"lastSeen":`, "i", "true", "j", `{"kind":"other","last_use":"9999999999999999999"}`,
		"x:1", `{"kind":"fid"}`, fidA, `{"kind":"token"}`, fidB, "null", "short", `{"type":"FID"}`)
	b.expectAddresses("u", "token g", "token f", "token e", "token d", "token c", "token b", "token a",
		"token "+fidA, "fid "+fidB, "token h", "token i", "token j", "fid short", "token x:1")
}

// oneAddressADevice: a token gives way to the installation ID that it begins with.
func oneAddressADevice(b *rig) {
	b.set("moved", fidA+":token")
	b.setDevices("moved", fidA, "", fidB+":old", "1767225600", fidB+":new", "1767225601")
	b.expectAddresses("moved", "token "+fidB+":new", "fid "+fidA)
	b.set("twice", "phone\n")
	b.setDevices("twice", "phone", "1767225600", "fcm:1", "", "fcm:2", "")
	b.expectAddresses("twice", "token phone", "token fcm:1", "token fcm:2")
}

// devicesWithoutAHash: a key of another type is no hash, and hides no token.
func devicesWithoutAHash(b *rig) {
	b.set("u", "phone")
	if err := b.rdb.Set(b.Context(), b.names.Devices("u"), "[]", 0).Err(); err != nil {
		b.Fatal(err)
	}
	b.sql.rows["v"] = "stored"
	for range 2 {
		b.expectAddresses("u", "token phone")
		b.expectAddresses("v", "token stored")
	}
}

// tokenOfAnotherType: a key of another type is no token, and hides no device.
func tokenOfAnotherType(b *rig) {
	if err := b.rdb.RPush(b.Context(), b.names.Token("u"), "phone").Err(); err != nil {
		b.Fatal(err)
	}
	b.setDevices("u", fidA, "")
	for range 2 {
		b.expectAddresses("u", "fid "+fidA)
	}
}

// Devices are read although Redis refuses the look for them.
func TestDevicesAreReadWithoutTheLook(t *testing.T) {
	addr := servers.Redis(t)
	admin := backends.Connect(t, addr)
	if err := admin.Do(t.Context(), "ACL", "SETUSER", "limited", "on", ">secret", "~*", "&*", "+@all", "-exists").Err(); err != nil {
		t.Fatal(err)
	}
	limited := redis.NewClient(&redis.Options{Addr: addr, Username: "limited", Password: "secret"})
	t.Cleanup(func() { _ = limited.Close() })
	b := newRig(t, limited)
	b.set("u", "phone")
	b.setDevices("u", fidA, "")
	b.expectAddresses("u", "token phone", "fid "+fidA)
}

func TestTimesOfLastUse(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		"1767225600": "2026-01-01T00:00:00Z", "1767225600.5": "2026-01-01T00:00:00.5Z", "1767225600000000": "2026-01-01T00:00:00Z",
		"2026-01-01T01:00:00+01:00": "2026-01-01T00:00:00Z", "2026-01-01": "2026-01-01T00:00:00Z", "2026-01-01 00:00:00.25+00": "2026-01-01T00:00:00.25Z",
	} {
		if got := notification.ParseLastSeen(text).Format(time.RFC3339Nano); got != want {
			t.Errorf("%s is %s, want %s", text, got, want)
		}
	}
	for _, text := range []string{"", "-1", "0", "NaN", "Inf", "1e300", "yesterday", "0001-01-01T00:00:00Z", "true"} {
		if got := notification.ParseLastSeen(text); !got.IsZero() {
			t.Errorf("%q is %s", text, got)
		}
	}
}

// counting counts the round trips of a client.
type counting struct{ commands, trips int }

func (c *counting) DialHook(next redis.DialHook) redis.DialHook { return next }

func (c *counting) ProcessHook(next redis.ProcessHook) redis.ProcessHook {
	return func(ctx context.Context, cmd redis.Cmder) error {
		c.commands, c.trips = c.commands+1, c.trips+1
		return next(ctx, cmd)
	}
}

func (c *counting) ProcessPipelineHook(next redis.ProcessPipelineHook) redis.ProcessPipelineHook {
	return func(ctx context.Context, commands []redis.Cmder) error {
		c.commands, c.trips = c.commands+len(commands), c.trips+1
		return next(ctx, commands)
	}
}

// A claim costs one round trip, and no command per user while no user has devices.
func TestLookupCostsOneRoundTrip(t *testing.T) {
	rdb := redis.NewClient(&redis.Options{Addr: miniredis.RunT(t).Addr()})
	t.Cleanup(func() { _ = rdb.Close() })
	b := newRig(t, rdb)
	users := make([]string, 100)
	for i := range users {
		users[i] = fmt.Sprint("u", i)
		b.set(users[i], fmt.Sprint("t", i))
	}
	count := &counting{}
	rdb.AddHook(count)
	look := func(want counting) {
		t.Helper()
		*count = counting{}
		if found, err := b.store.Lookup(t.Context(), users); err != nil || len(found) != len(users) {
			t.Fatalf("found %d, error %v", len(found), err)
		}
		if *count != want {
			t.Errorf("cost %+v, want %+v", *count, want)
		}
	}
	b.addresses("u0") // the first command of a connection takes others
	look(counting{commands: 2, trips: 1})
	b.setDevices("u7", "tablet", "")
	look(counting{commands: 102, trips: 2}) // the first claim with devices
	look(counting{commands: 101, trips: 1})
	rdb.Del(t.Context(), b.names.Devices("u7"))
	look(counting{commands: 101, trips: 1})
	look(counting{commands: 2, trips: 1})
}

// A Redis that fails leaves users undecided. None is taken for a user without devices.
func TestDevicesThatCannotBeRead(t *testing.T) {
	server := miniredis.RunT(t)
	b := newRig(t, backends.Connect(t, server.Addr()))
	b.set("u", "phone")
	b.setDevices("u", "tablet", "")
	server.SetError("LOADING Redis is loading the dataset in memory")
	found, err := b.store.Lookup(t.Context(), []string{"u"})
	if partial, ok := errors.AsType[*tokens.SourceError](err); !ok || !reflect.DeepEqual(partial.IDs, []string{"u"}) || len(found) != 0 {
		t.Errorf("found %v, error %v", found, err)
	}
	server.SetError("")
	b.expectAddresses("u", "token phone", "token tablet")
}
