package campaign_test

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"fanfare/internal/campaign"
	"fanfare/internal/redisx"
	"fanfare/test/backends"
)

// A sample reads head, middle and tail, each element once, and removes no one from the list.
func samplesWithoutClaiming(t *testing.T, b *backends.Backend) {
	f := open(t, b)
	f.push("1", 100)
	f.ok(f.rdb.PExpire(t.Context(), f.list("1").Plain(), time.Hour).Err())
	for n, want := range map[int]string{
		1:   "u0",
		3:   "u0 u49 u99",
		10:  "u0 u1 u2 u3 u48 u49 u50 u97 u98 u99",
		500: "",
	} {
		s, err := f.Sample(t.Context(), "1", n)
		f.ok(err)
		got := users(s)
		if want == "" {
			wantEqual(t, "users of a sample that is the list", len(slices.Compact(slices.Sorted(slices.Values(got)))), 100)
		} else {
			wantEqual(t, fmt.Sprint("sample of ", n), strings.Join(got, " "), want)
		}
		wantEqual(t, "listed", s.Listed, 100)
	}
	wantEqual(t, "keys", len(f.everyKey(b)), 1)
	wantEqual(t, "left in the list", f.books("1").Waiting, 100)
}

func samplesWhatIsWrong(t *testing.T, b *backends.Backend) {
	f := open(t, b)
	for _, element := range []string{`{"userId":"u1"}`, `{"userId":`, `{"userId":"` + strings.Repeat("x", 100<<10) + `"}`} {
		f.ok(f.rdb.RPush(t.Context(), f.list("1").Plain(), element).Err())
	}
	s, err := f.Sample(t.Context(), "1", 100)
	f.ok(err)
	wantEqual(t, "recipients", len(s.Recipients), 1)
	wantEqual(t, "malformed", len(s.Malformed), 2)

	s, err = f.Sample(t.Context(), "nobody", 100)
	f.ok(err)
	wantEqual(t, "listed of nobody", s.Listed+int64(len(s.Recipients)), 0)
	_, err = f.Sample(t.Context(), "1", 0)
	wantEqual(t, "a sample of nobody is refused", err != nil, true)
	f.ok(f.rdb.Set(t.Context(), f.list("2").Plain(), "text", 0).Err())
	_, err = f.Sample(t.Context(), "2", 1)
	if _, ok := errors.AsType[*redisx.TypeError](err); !ok {
		t.Errorf("a key of another type: %v", err)
	}
}

func users(s campaign.Sample) []string {
	var all []string
	for _, r := range s.Recipients {
		all = append(all, r.UserID)
	}
	return all
}

// A sample of zones reads no more than it may, from the head to the tail of the list.
func TestZonesAreSampledAllOverTheList(t *testing.T) {
	f := open(t, backends.OpenMiniredis(t))
	for n := range 1000 {
		f.ok(f.rdb.RPush(t.Context(), f.list("1").Plain(), fmt.Sprintf(`{"userId":"u%d","fcmToken":"t","timeZone":"Etc/GMT+%d"}`, n, n/100)).Err())
	}
	for n, read := range map[int64]int64{100: 100, 400: 400, 1000: 1000, 5000: 1000} {
		s, err := f.SampleZones(t.Context(), "1", n)
		f.ok(err)
		wantEqual(t, fmt.Sprintf("read of %d", n), s.Read, read)
		wantEqual(t, "listed", s.Listed, 1000)
		for zone, found := range s.Zones {
			if share := read / 10; found < share-share/10-1 || found > share+share/10+1 {
				t.Errorf("%d of zone %s in a sample of %d, want about %d", found, zone, n, share)
			}
		}
		wantEqual(t, "zones", len(s.Zones), 10)
	}
}

// The users whose zone depends on what is stored come from all parts of the list.
func TestUsersOfAZoneSampleAreSpread(t *testing.T) {
	f := open(t, backends.OpenMiniredis(t))
	for n := range 4000 {
		f.ok(f.rdb.RPush(t.Context(), f.list("1").Plain(), fmt.Sprintf(`{"userId":"u%d","timeZone":"part %d"}`, n, n/1000)).Err())
	}
	s, err := f.SampleZones(t.Context(), "1", 5000)
	f.ok(err)
	wantEqual(t, "open", s.Open, 4000)
	parts := make(map[string]int)
	for _, u := range s.Users {
		parts[u.Zone]++
	}
	wantEqual(t, "users of each part", fmt.Sprint(parts), "map[part 0:250 part 1:250 part 2:250 part 3:250]")
}
