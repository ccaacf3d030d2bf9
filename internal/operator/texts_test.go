package operator

import (
	"errors"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"fanfare/internal/audience"
	"fanfare/internal/campaign"
	"fanfare/internal/notification"
	"fanfare/internal/pacing"
	"fanfare/internal/store"
)

// A share is short, and neither rounds some to none nor most to all.
func TestShare(t *testing.T) {
	for want, c := range map[string][2]int64{
		"–": {0, 0}, "0%": {0, 7}, "100%": {7, 7}, "<0.01%": {1, 10_001}, "0.01%": {1, 10_000}, "0.50%": {1, 200}, "1.0%": {1, 100}, "9.0%": {9, 100},
		"10%": {1, 10}, "12.5%": {1, 8}, "99.9%": {999, 1000}, ">99.9%": {9991, 10_000},
	} {
		if got := Share(c[0], c[1]); got != want {
			t.Errorf("%d of %d is %s, want %s", c[0], c[1], got, want)
		}
	}
}

type noPace struct{ ProjectPace }

// A project is found by its id, and by none if it is the only one.
func TestProjectsAreFound(t *testing.T) {
	pace := &noPace{}
	one, two := Projects{{"news", pace}}, Projects{{"news", pace}, {"shop", nil}}
	for _, c := range []struct {
		p     Projects
		named string
		want  PaceReader
	}{{one, "", pace}, {one, "news", pace}, {one, "shop", nil}, {two, "", nil}, {two, "news", pace}, {two, "shop", nil}, {nil, "", nil}} {
		if got := c.p.Pace(c.named); got != c.want {
			t.Errorf("the pace of %q among %v is %v", c.named, c.p.IDs(), got)
		}
	}
	if found, known := two.Find("shop"); !known || found.ID != "shop" {
		t.Errorf("found %+v", found)
	}
	if only, ok := one.Single(); !ok || only.ID != "news" || !slices.Equal(two.IDs(), []string{"news", "shop"}) {
		t.Errorf("the only one is %+v, all are %q", only, two.IDs())
	}
}

// A quota is shown with what stops it at the moment. A gate that is open again is left out.
func TestQuotaView(t *testing.T) {
	now := time.Date(2031, 1, 2, 10, 7, 0, 0, time.UTC)
	east := time.FixedZone("", 3600)
	s := pacing.State{
		Now: now, Settings: pacing.Settings{Quota: 600, Headroom: 0.25, Ramp: time.Minute, AvoidQuarterHours: true}, Overridden: true, Rate: 3, Warm: 0.5,
		Gate: pacing.Gate{Until: now.Add(time.Second).In(east), Reason: "slow", By: "FCM"}, Halts: []pacing.Halt{{Reason: "why", Since: now.In(east), By: "ann"}},
	}
	want := QuotaView{
		Project: "p", PerMinute: 600, HeadroomPercent: 25, RampSeconds: 60, AvoidQuarterHours: true, Set: true, Full: s.Settings.Rate(), Now: 3, Warm: 0.5,
		GateUntil: now.Add(time.Second), GateReason: "slow", GateBy: "FCM", Halts: []HaltView{{"why", now, "ann"}},
	}
	if got := NewQuotaView("p", s); !reflect.DeepEqual(got, want) {
		t.Errorf("%+v, want %+v", got, want)
	}
	s.Gate.Until, s.Halts = now, nil
	if got := NewQuotaView("p", s); !got.GateUntil.IsZero() || got.GateReason+got.GateBy != "" || got.Halts == nil || len(got.Halts) > 0 {
		t.Errorf("with an open gate: %+v", got)
	}
	s.Now = time.Date(2031, 1, 2, 10, 0, 1, 0, east)
	if got := NewQuotaView("p", s).AvoidedUntil; !got.After(s.Now) || got.Location() != time.UTC {
		t.Errorf("the minutes around 10:00 are avoided until %s", got)
	}
}

// A test goes to one address, or to the devices of a user.
func TestAddressOfATest(t *testing.T) {
	const fid, token = "cMr3eGJhR0-kT1aB9xYz_w", "cMr3eGJhR0-kT1:APA91b"
	for _, c := range []struct {
		a     TestAddress
		kind  notification.TargetKind
		field string
		says  string // "": no error
	}{
		{TestAddress{User: "u1"}, notification.TargetNone, "", ""},
		{TestAddress{Token: token}, notification.TargetToken, "", ""},
		{TestAddress{Token: "tok-1"}, notification.TargetToken, "", ""},
		{TestAddress{FID: fid}, notification.TargetFID, "", ""},
		{TestAddress{Token: token, FID: fid}, notification.TargetNone, "", "two addresses"},
		{TestAddress{Token: fid}, notification.TargetFID, "token", "this is a Firebase Installation ID"},
		{TestAddress{FID: token}, notification.TargetToken, "fid", "this is a registration token"},
		{TestAddress{Token: " "}, notification.TargetNone, "token", "it is empty"},
		{TestAddress{FID: "a b"}, notification.TargetInvalid, "fid", "this is no Firebase Installation ID: it holds white space"},
		{TestAddress{Token: "null"}, notification.TargetInvalid, "token", "this is no registration token"},
	} {
		target, err := c.a.Parse()
		wrong, is := errors.AsType[*AddressError](err)
		switch {
		case c.says == "" && (err != nil || target.Kind != c.kind):
			t.Errorf("%+v: kind %d, %v", c.a, target.Kind, err)
		case c.says != "" && (!is || wrong.Field != c.field || !strings.Contains(err.Error(), c.says) || strings.HasPrefix(err.Error(), c.field+": ") != (c.field != "")):
			t.Errorf("%+v: %v, want %q about %q", c.a, err, c.says, c.field)
		}
	}
	if _, err := (TestAddress{}).Parse(); !errors.Is(err, ErrNoTestTarget) {
		t.Errorf("no address: %v", err)
	}
}

func TestSourcesAreDescribed(t *testing.T) {
	for want, s := range map[string]campaign.Source{
		"": {},
		"/a.csv, /b.csv, as csv, separated by ;, where age > 3": {Files: []string{"/a.csv", "/b.csv"}, Format: "csv", Separator: ";", Where: "age > 3"},
		"rows of SELECT 1 FROM u, by id":                        {Query: "SELECT 1\n  FROM u", Key: "id"},
	} {
		if got := DescribeSource(s); got != want {
			t.Errorf("%+v is described as %q, want %q", s, got, want)
		}
	}
	v := View{}
	equal(t, "progress without a source", v.SourceProgress(), "")
	v.Spec.Source = campaign.Source{Files: []string{"/a.csv"}}
	equal(t, "progress before a load", v.SourceProgress(), "not loaded")
}

// Only a campaign that exists has no source.
func TestSourceOfACampaign(t *testing.T) {
	t.Parallel()
	f := open(t)
	f.create("42")
	files := campaign.Source{Files: []string{"/users.csv"}}
	ok(t, f.Create(t.Context(), campaign.Spec{ID: "44", Message: []byte(plainMessage), Source: files}))
	if got, err := f.Source(t.Context(), "44"); err != nil || !slices.Equal(got.Files, files.Files) {
		t.Errorf("source %+v, %v", got, err)
	}
	for id, want := range map[string]error{"42": ErrNoSource, "43": campaign.ErrNotFound} {
		if _, err := f.Source(t.Context(), id); !errors.Is(err, want) {
			t.Errorf("source of %s: %v, want %v", id, err, want)
		}
	}
}

func TestLeftOutAddressesAreCounted(t *testing.T) {
	s := ExportSummary{LeftOut: map[audience.Reason]int64{audience.NotToken: 1200, audience.OptedOut: 3, audience.Inactive: 0}}
	equal(t, "text", s.LeftOutText(), "3 opted out, 1,200 no FCM token")
	equal(t, "none", ExportSummary{}.LeftOutText(), "")
}

// More than a token is known of an installation ID, of a described device, and of several.
func TestHasDevices(t *testing.T) {
	token, fid := notification.ParseToken("tok-1"), notification.ParseFID("fid-1")
	for name, c := range map[string]struct {
		devices []notification.Device
		want    bool
	}{
		"none": {nil, false}, "a token": {[]notification.Device{{Target: token}}, false}, "an ID": {[]notification.Device{{Target: fid}}, true},
		"a platform": {[]notification.Device{{Target: token, Platform: "ios"}}, true}, "a locale": {[]notification.Device{{Target: token, Locale: "de"}}, true},
		"a time": {[]notification.Device{{Target: token, LastSeen: time.UnixMilli(1)}}, true}, "two": {[]notification.Device{{Target: token}, {Target: token}}, true},
	} {
		if got := (User{Devices: c.devices}).HasDevices(); got != c.want {
			t.Errorf("%s: has devices: %v", name, got)
		}
	}
}

// A sound is named by its text, or as a critical alert's.
func TestSoundsAreDescribed(t *testing.T) {
	for raw, want := range map[string]string{
		`"ping.caf"`: "sound ping.caf", `{"name":"siren","critical":1}`: "critical sound siren", `{"name":"siren","critical":true}`: "critical sound siren",
		`{"name":"siren","critical":0}`: "sound siren", `{"name":"siren","critical":false}`: "sound siren", `{"name":"siren"}`: "sound siren",
	} {
		if got := describeSound([]byte(raw)); got != want {
			t.Errorf("%s: %q, want %q", raw, got, want)
		}
	}
}

// What was asked for is repeated when nothing matches it.
func TestWhatMatchedNothing(t *testing.T) {
	for want, f := range map[string]store.Filter{
		"campaign 42 has no outcome":                                                                 {},
		"campaign 42 has no outcome with the status failed":                                          {Status: notification.StatusFailed},
		"campaign 42 has no outcome with the code X":                                                 {Code: "X"},
		"campaign 42 has no outcome with the status failed and the code X that is older than 1h0m0s": {Status: notification.StatusFailed, Code: "X", OlderThan: time.Hour},
	} {
		if got := (&NothingMatchesError{From: "42", Filter: f}).Error(); !strings.HasPrefix(got, want) || len(f.Code) == 0 && strings.Contains(got, "code") {
			t.Errorf("%q, want %q", got, want)
		}
	}
}
