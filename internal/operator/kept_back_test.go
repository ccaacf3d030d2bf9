package operator

import (
	"context"
	"fmt"
	"math"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"fanfare/internal/campaign"
)

// A platform on hold says how many of its recipients wait, how sure that is, and when the next are
// looked at. Only an exact count may be summed up.
func TestWhyCountsAPlatformOnHold(t *testing.T) {
	t.Parallel()
	now := time.Unix(1_700_000_000, 0)
	next := PlatformWait{3, now.Add(time.Minute)}
	for name, c := range map[string]struct {
		kept   *KeptBack
		want   string
		people int64
	}{
		"not read":        {nil, "401 of 5; at most 4 of its recipients wait; the next are looked at in 40s", 0},
		"exact":           {&KeptBack{ByPlatform: map[string]PlatformWait{"ios": next, "android": {1, now}}, Exact: true}, "401 of 5; the next are looked at in 1m", 3},
		"a sample":        {&KeptBack{ByPlatform: map[string]PlatformWait{"ios": next}}, "401 of 5; ≈ 3 of its recipients wait, as a sample of all retries says; the next are looked at in 1m", 0},
		"unnamed":         {&KeptBack{Unnamed: 2, Exact: true}, "401 of 5; at most 2 of its recipients wait; the next are looked at in 40s", 0},
		"more than there": {&KeptBack{ByPlatform: map[string]PlatformWait{"ios": next}, Unnamed: 2}, "401 of 5; at most 4 of its recipients wait; the next are looked at in 40s", 0},
		"another's":       {&KeptBack{ByPlatform: map[string]PlatformWait{"android": next}, Exact: true}, "401 of 5", 0},
	} {
		v := View{Spec: campaign.Spec{ID: "42", State: campaign.Running}, KeptBack: c.kept}
		v.Books = campaign.Books{Waiting: 5, InFlight: 1, Retrying: 4, NextRetry: now.Add(40 * time.Second)}
		v.Breaker.Paused = map[string]string{"ios": "401 of 5; renew the key"}
		r := Why(v, Surroundings{Now: now})[0]
		equal(t, name+": detail", r.Detail, c.want)
		equal(t, name+": people", r.People, c.people)
		equal(t, name+": next", r.Next, "renew the key: fanfare campaign resume 42")
	}
}

// The recipients of a platform on hold are counted wherever a campaign is listed or shown: each one
// while they are few, and from a sample after that.
func TestKeptBackIsCounted(t *testing.T) {
	t.Parallel()
	f := open(t)
	f.create("42", campaign.Running)
	ok(t, f.PausePlatform(t.Context(), "42", "ios", "the key"))
	due := time.Now().Add(time.Hour).Truncate(time.Second)
	put := func(from, until int, element string) {
		t.Helper()
		var all []redis.Z
		for i := from; i < until; i++ {
			member := fmt.Sprintf("id%d 1 0 5 ", i) + fmt.Sprintf(element, i)
			all = append(all, redis.Z{Score: float64(due.Add(time.Duration(i) * time.Second).UnixMilli()), Member: member})
		}
		ok(t, f.rdb.ZAdd(t.Context(), "{campaign:42}:retry", all...).Err())
	}
	read := func() map[string]View {
		t.Helper()
		shown, err := f.Show(t.Context(), "42")
		ok(t, err)
		listed, err := f.List(t.Context())
		ok(t, err)
		return map[string]View{"shown": shown, "listed": listed[0]}
	}
	put(0, 2, `{"userId":"a%d","platform":"android"}`)
	put(2, 5, `{"userId":"i%d","platform":"ios"}`)
	put(5, 6, `{"userId":"d%d","devices":[{"token":"t1","platform":"ios"},{"token":"t2","platform":"web"}]}`)
	for from, v := range read() {
		ios := v.KeptBack.ByPlatform["ios"]
		if !v.KeptBack.Exact || ios.N != 4 || !ios.Next.Equal(due.Add(2*time.Second)) || v.KeptBack.Unnamed != 0 {
			t.Errorf("%s: %+v, want 4 of iOS, the first after two seconds", from, v.KeptBack)
		}
		if r := Why(v, Surroundings{Now: time.Now()}); r[0].Kind != ReasonPlatform || r[0].People != 4 {
			t.Errorf("%s: reasons %+v", from, r)
		}
	}
	put(6, 4000, `{"userId":"i%d","platform":"ios"}`)
	put(4000, 8000, `{"userId":"n%d"}`)
	for from, v := range read() {
		ios := v.KeptBack.ByPlatform["ios"].N
		if v.KeptBack.Exact || ios < 3700 || ios > 4300 || v.KeptBack.Unnamed < 3700 || v.KeptBack.Unnamed > 4300 {
			t.Errorf("%s: %+v, want about half of 8,000", from, v.KeptBack)
		}
	}
	ok(t, f.Start(t.Context(), "42", StartOptions{}))
	for from, v := range read() {
		if v.KeptBack != nil || len(v.Breaker.Paused) > 0 {
			t.Errorf("%s: %+v although no platform is on hold", from, v.KeptBack)
		}
	}
}

// countingHook counts round trips.
type countingHook struct{ trips int }

func (h *countingHook) DialHook(next redis.DialHook) redis.DialHook { return next }

func (h *countingHook) ProcessHook(next redis.ProcessHook) redis.ProcessHook {
	return func(ctx context.Context, c redis.Cmder) error { h.trips++; return next(ctx, c) }
}

func (h *countingHook) ProcessPipelineHook(next redis.ProcessPipelineHook) redis.ProcessPipelineHook {
	return func(ctx context.Context, all []redis.Cmder) error { h.trips++; return next(ctx, all) }
}

// A list asks for those who wait for platforms in two round trips, however many campaigns have one
// on hold. Its samples are smaller then.
func TestListSamplesAllCampaignsTogether(t *testing.T) {
	t.Parallel()
	f := open(t)
	hook := new(countingHook)
	f.rdb.AddHook(hook)
	trips := func() int { // of a list that reads nothing again which others remember
		t.Helper()
		least := math.MaxInt
		for range 5 {
			before := hook.trips
			_, err := f.List(t.Context())
			ok(t, err)
			least = min(least, hook.trips-before)
		}
		return least
	}
	const campaigns, each = 200, 1000
	pipe := f.rdb.Pipeline()
	for i := range campaigns {
		id := fmt.Sprint("c", i)
		f.create(id, campaign.Running)
		var all []redis.Z
		for n := range each {
			platform := []string{"ios", "android"}[n%2]
			all = append(all, redis.Z{Score: float64(4_000_000_000_000 + n), Member: fmt.Sprintf(`id%d 1 0 5 {"userId":"u%d","platform":%q}`, n, n, platform)})
		}
		pipe.ZAdd(t.Context(), "{campaign:"+id+"}:retry", all...)
	}
	_, err := pipe.Exec(t.Context())
	ok(t, err)
	without := trips()
	for i := range campaigns {
		ok(t, f.PausePlatform(t.Context(), fmt.Sprint("c", i), "ios", "the key"))
	}
	if more := trips() - without; more > 2 {
		t.Errorf("a list with platforms on hold takes %d more round trips", more)
	}
	views, err := f.List(t.Context())
	ok(t, err)
	for _, v := range views {
		if k := v.KeptBack; k == nil || k.Exact || k.ByPlatform["ios"].N < each*3/10 || k.ByPlatform["ios"].N > each*7/10 {
			t.Fatalf("%s: %+v, want about half of %d", v.Spec.ID, k, each)
		}
	}
}
