package tokens_test

import (
	"errors"
	"slices"
	"testing"
	"time"

	"fanfare/internal/notification"
	"fanfare/internal/tokens"
	"fanfare/test/backends"
	"fanfare/test/servers"
)

// fields returns what user:<id>:devices holds.
func (b *rig) fields(user string) map[string]string {
	b.Helper()
	return b.rdb.HGetAll(b.Context(), b.names.Devices(user)).Val()
}

func (b *rig) forgetDevice(user string, dead notification.Target) tokens.ForgetResult {
	b.Helper()
	found, err := b.store.Forget(b.Context(), user, dead, "42")
	if err != nil {
		b.Error(err)
	}
	return found
}

// deadDeviceIsRemoved wherever it is stored, in any spelling, and nothing else is.
func deadDeviceIsRemoved(b *rig) {
	for _, user := range []string{"u", "a}b"} {
		b.set(user, "phone")
		b.setDevices(user, "phone", "", "phone\n", "", fidA, `{"kind":"fid"}`, fidA+":token", "", "tablet", "")
		if found := b.forgetDevice(user, notification.ParseToken("phone")); !found.Removed || b.stored(user) != "" || len(b.fields(user)) != 3 {
			b.Errorf("%s, token: %+v; left are %q and %v", user, found, b.stored(user), b.fields(user))
		}
		if found := b.forgetDevice(user, notification.ParseFID(fidA)); !found.Removed || len(b.fields(user)) != 2 {
			b.Errorf("%s, FID: %+v; left are %v", user, found, b.fields(user))
		}
		if found := b.forgetDevice(user, notification.ParseFID(fidA)); found.Removed || len(b.fields(user)) != 2 {
			b.Errorf("%s, again: %+v; left are %v", user, found, b.fields(user))
		}
		b.expectAddresses(user, "token "+fidA+":token", "token tablet") // the FID's token is worth a try
	}
	b.set("fid as token", fidB)
	if found := b.forgetDevice("fid as token", notification.ParseFID(fidB)); !found.Removed || b.stored("fid as token") != "" {
		b.Errorf("a FID in the place of a token: %+v", found)
	}
}

func otherDevicesAreOffered(b *rig) {
	b.set("u", "phone")
	b.setDevices("u", fidA, "1767225600", "tablet", "1767225601")
	b.sql.rows["u"] = "in SQL"
	dead := notification.ParseToken("tablet")
	another, err := b.store.FindAnother(b.Context(), "u", dead)
	found := b.forgetDevice("u", dead)
	if err != nil || another.Value != fidA || found.Current != another || !slices.Equal(describe(found.Others), []string{"fid " + fidA, "token phone"}) {
		b.Errorf("another is %v, error %v; found %+v", another, err, found)
	}
	b.forgetDevice("u", notification.ParseFID(fidA))
	if found := b.forgetDevice("u", notification.ParseToken("phone")); found.Current.Text() != "in SQL" && !found.Current.IsZero() {
		b.Errorf("after the last one: %+v", found)
	}
}

// severalDeadStayAway: SQL may return any of them until the responder has cleared it.
func severalDeadStayAway(b *rig) {
	for _, dead := range []string{"one", "two", fidA} {
		b.forgetDevice("u", notification.ParseToken(dead))
	}
	for _, dead := range []string{"one", "two\n", fidA} {
		b.sql.rows["u"] = dead
		b.expectAddresses("u")
	}
	if left := b.rdb.PTTL(b.Context(), b.names.NoToken("u")).Val(); left > time.Hour || left < 50*time.Minute {
		b.Errorf("they are ignored for %s, want an hour", left)
	}
	b.sql.rows["u"] = "alive"
	b.expectAddresses("u", "token alive")
}

// devicesAreRestored with their values and the rest of their time, beside what is stored by now.
func devicesAreRestored(b *rig) {
	b.setDevices("u", fidA, `{"kind":"fid","platform":"ios"}`, "tablet", "", fidB+":token", "")
	if err := b.rdb.Expire(b.Context(), b.names.Devices("u"), time.Hour).Err(); err != nil {
		b.Fatal(err)
	}
	for _, dead := range []notification.Target{notification.ParseFID(fidA), notification.ParseToken("tablet"), notification.ParseToken(fidB + ":token")} {
		b.forgetDevice("u", dead)
	}
	if got := b.fields("u"); len(got) != 0 {
		b.Fatalf("left are %v", got)
	}
	copies := 0
	err := b.store.VisitRemoved(b.Context(), tokens.Filter{Users: []string{"u"}, Campaign: "42"}, func(some []tokens.RemovedToken) error {
		copies += len(some)
		return nil
	})
	if err != nil || copies != 3 {
		b.Errorf("%d copies, error %v", copies, err)
	}
	b.setDevices("u", fidB, "") // the app has moved
	if err := b.rdb.Persist(b.Context(), b.names.Devices("u")).Err(); err != nil {
		b.Fatal(err)
	}
	all := tokens.Filter{Users: []string{"u", "absent"}}
	b.expectRestored("u", b.restore(all), tokens.RestoreResult{Restored: 2, Newer: 1, Gone: 1})
	if got := b.fields("u"); got[fidA] != `{"kind":"fid","platform":"ios"}` || len(got) != 3 {
		b.Errorf("restored are %v", got)
	}
	if left := b.rdb.PTTL(b.Context(), b.names.Devices("u")).Val(); left > 0 {
		b.Errorf("the devices expire in %s, want never", left)
	}
	b.sql.rows["v"] = fidA
	b.forgetDevice("v", notification.ParseFID(fidA))
	b.expectAddresses("v")
	b.expectRestored("v", b.restore(tokens.Filter{Users: []string{"v"}}), tokens.RestoreResult{Restored: 1})
	b.expectAddresses("v", "fid "+fidA)
}

func TestDevicesReturnWithTheirTime(t *testing.T) {
	b := newRig(t, backends.Connect(t, servers.Redis(t)))
	b.setDevices("u", fidA, "")
	b.rdb.Expire(t.Context(), b.names.Devices("u"), time.Hour)
	b.forgetDevice("u", notification.ParseFID(fidA))
	b.expectRestored("u", b.restore(tokens.Filter{}), tokens.RestoreResult{Restored: 1})
	if left := b.rdb.PTTL(t.Context(), b.names.Devices("u")).Val(); left > time.Hour || left < 59*time.Minute {
		t.Errorf("the devices expire in %s, want the rest of an hour", left)
	}
	if n := b.rdb.Exists(t.Context(), b.names.RemovedDevices("u"), b.names.NoToken("u")).Val(); n != 0 {
		t.Errorf("%d copies and marks are left", n)
	}
}

// A copy is as old as its own removal, whatever came later.
func TestOldCopiesOfDevicesAreDropped(t *testing.T) {
	b := newRig(t, backends.Connect(t, servers.Redis(t)))
	key := b.names.RemovedDevices("u")
	b.rdb.HSet(t.Context(), key, "old", `{"token":"old","value":"","campaign":"1","at":1767225600000,"ttl":0}`, "odd", "{")
	if got := b.removed(tokens.Filter{}); len(got) != 0 {
		t.Errorf("copies %v", got)
	}
	b.setDevices("u", fidA, "")
	b.forgetDevice("u", notification.ParseFID(fidA))
	if held := b.rdb.HKeys(t.Context(), key).Val(); len(held) != 2 || slices.Contains(held, "old") {
		t.Errorf("copies of %q are left", held)
	}
}

// Without a copy there is no removal.
func TestDeviceWithoutACopyStays(t *testing.T) {
	b := newRig(t, backends.Connect(t, servers.Redis(t)))
	b.setDevices("u", fidA, "")
	b.rdb.Set(t.Context(), b.names.RemovedDevices("u"), "text", 0)
	_, err := b.store.Forget(t.Context(), "u", notification.ParseFID(fidA), "42")
	if err == nil || len(b.fields("u")) != 1 || errors.Is(err, tokens.ErrNoToken) {
		t.Errorf("error %v, left are %v", err, b.fields("u"))
	}
}
