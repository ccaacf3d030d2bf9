package operator

import (
	"context"
	"errors"
	"fmt"
	"io"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"fanfare/internal/audience"
	"fanfare/internal/campaign"
	"fanfare/test/servers"
)

// audienceOf returns a CSV file of n users, u0 to un-1.
func audienceOf(n int) string {
	var text strings.Builder
	text.WriteString("userId,fcmToken\n")
	for i := range n {
		fmt.Fprintf(&text, "u%d,t%d\n", i, i)
	}
	return text.String()
}

// wantUsers fails the test unless a list contains exactly the first n users, in order.
func (f fixture) wantUsers(key string, n int) {
	f.Helper()
	want := make([]string, n)
	for i := range want {
		want[i] = fmt.Sprintf(`{"userId":"u%d","fcmToken":"t%d"}`, i, i)
	}
	if got := f.list(key); !slices.Equal(got, want) {
		f.Errorf("%s holds %d elements, %.200q…, want %d", key, len(got), got, n)
	}
}

func TestLoadFillsTheList(t *testing.T) {
	f := open(t)
	var reported []int64
	summary := f.load("42", audienceOf(2500)+",t\n", LoadOptions{Format: audience.CSV, Progress: func(n int64) { reported = append(reported, n) }})
	f.wantUsers("campaign:42", 2500)
	equal(t, "loaded", summary.Loaded, 2500)
	equal(t, "rejected", summary.Rejected, 1)
	equal(t, "named", fmt.Sprint(summary.Errors), "[line 2502: userId is empty]")
	equal(t, "progress", fmt.Sprint(reported), "[1000 2000 2500]")
	if left := time.Until(f.show("42").Deadline()); left <= 23*time.Hour || left > campaign.DefaultTTL {
		t.Errorf("the deadline is in %s, want a day", left)
	}
	if ttl := f.rdb.TTL(t.Context(), "campaign:42").Val(); ttl < 7*24*time.Hour {
		t.Errorf("the list itself expires in %s, want a week at least", ttl)
	}
}

func TestLoadNamesTheFirstBadLinesAndCountsTheRest(t *testing.T) {
	f := open(t)
	text := "userId,fcmToken\nu0,t0\n" + strings.Repeat("\"\",t\n", 1500) + "u1,t1\n"
	summary := f.load("42", text, LoadOptions{Format: audience.CSV})
	f.wantUsers("campaign:42", 2)
	equal(t, "rejected", summary.Rejected, 1500)
	equal(t, "named", len(summary.Errors), maxRowErrors)
	equal(t, "the last that is named", summary.Errors[maxRowErrors-1].Line, maxRowErrors+2)
}

func TestLoadRefusesASecondAudience(t *testing.T) {
	f := open(t)
	opts := LoadOptions{Format: audience.CSV}
	f.load("42", audienceOf(3), opts)
	_, err := f.Load(t.Context(), "42", strings.NewReader(audienceOf(3)), opts)
	if !errors.Is(err, campaign.ErrAudienceExists) {
		t.Errorf("a second load: %v", err)
	}
	f.wantUsers("campaign:42", 3)

	opts.Append, opts.Skip = true, 3
	equal(t, "appended", f.load("42", audienceOf(5), opts).Loaded, 2)
	f.wantUsers("campaign:42", 5)
}

func TestLoadRefusesAudiencesForTheEnded(t *testing.T) {
	f := open(t)
	f.create("42", campaign.Cancelled)
	_, err := f.Load(t.Context(), "42", strings.NewReader(audienceOf(3)), LoadOptions{Format: audience.CSV, Append: true})
	mentions(t, err, "campaign 42 is cancelled for good")
	f.wantUsers("campaign:42", 0)
}

// A load that the end of its campaign stops names all that it has pushed, also the last batch.
func TestLoadStoppedByACancelNamesItsLastBatch(t *testing.T) {
	f := open(t)
	f.create("42")
	cancelled := false
	opts := LoadOptions{Format: audience.CSV, Progress: func(int64) {
		if !cancelled {
			ok(t, f.Cancel(t.Context(), "42", ""))
		}
		cancelled = true
	}}
	summary, err := f.Load(t.Context(), "42", strings.NewReader(audienceOf(5000)), opts)
	broken, is := errors.AsType[*InterruptedError](err)
	if !is {
		t.Fatalf("the load ended with %v", err)
	}
	mentions(t, err, "cancelled")
	f.wantUsers("campaign:42", 2000)
	equal(t, "named", broken.Done, 2000)
	equal(t, "loaded", summary.Loaded, 2000)
}

func TestLoadOfNobody(t *testing.T) {
	f := open(t)
	for format, text := range map[audience.Format]string{audience.CSV: "userId\n", audience.NDJSON: "\n"} {
		_, err := f.Load(t.Context(), "empty", strings.NewReader(text), LoadOptions{Format: format})
		if _, is := errors.AsType[*audience.FileError](err); !is {
			t.Errorf("of an empty audience in %s: %v", format, err)
		}
	}
	summary, err := f.Load(t.Context(), "bad", strings.NewReader("{\n1\n}\n"), LoadOptions{Format: audience.NDJSON})
	if !errors.Is(err, ErrNoRecipient) || summary.Rejected != 3 {
		t.Errorf("of a file without a recipient: %+v, %v", summary, err)
	}
	_, err = f.Load(t.Context(), "bad", strings.NewReader("id\nu1\n"), LoadOptions{Format: audience.CSV})
	if _, is := errors.AsType[*audience.FileError](err); !is {
		t.Errorf("of a file that is no audience: %v", err)
	}
	for _, id := range []string{"empty", "bad"} {
		f.wantUsers("campaign:"+id, 0)
		f.load(id, audienceOf(1), LoadOptions{Format: audience.CSV}) // nothing was begun, so it needs no append
	}
}

// An interrupted load knows exactly what was loaded, and another one continues with the rest.
func TestLoadIsInterruptedAndGoneOnWith(t *testing.T) {
	f := open(t)
	ctx, interrupt := context.WithCancel(t.Context())
	text := "userId,fcmToken\n,bad\n" + strings.TrimPrefix(audienceOf(10_000), "userId,fcmToken\n")
	opts := LoadOptions{Format: audience.CSV, Progress: func(n int64) {
		if n == 3000 {
			interrupt()
		}
	}}
	summary, err := f.Load(ctx, "42", strings.NewReader(text), opts)
	broken, is := errors.AsType[*InterruptedError](err)
	if !is || !errors.Is(err, context.Canceled) || broken.Done != 3000 || broken.Unsure != 0 || summary.Loaded != 3000 {
		t.Fatalf("got %+v, %v", summary, err)
	}
	mentions(t, err, "the first 3000 recipients are loaded")
	f.wantUsers("campaign:42", 3000)

	summary = f.load("42", text, LoadOptions{Format: audience.CSV, Append: true, Skip: broken.Done})
	f.wantUsers("campaign:42", 10_000)
	equal(t, "loaded the second time", summary.Loaded, 7000)
	equal(t, "rejected before the place gone on from", summary.Rejected, 0)
}

// A load that begins behind a place counts that place when it is interrupted.
func TestLoadBehindAPlaceIsInterrupted(t *testing.T) {
	f := open(t)
	interruptAt := func(stop int64, opts LoadOptions) *InterruptedError {
		ctx, interrupt := context.WithCancel(t.Context())
		opts.Format, opts.Progress = audience.CSV, func(n int64) {
			if n == stop {
				interrupt()
			}
		}
		_, err := f.Load(ctx, "42", strings.NewReader(audienceOf(10_000)), opts)
		broken, is := errors.AsType[*InterruptedError](err)
		if !is {
			t.Fatalf("got %v, want an interruption", err)
		}
		return broken
	}
	first := interruptAt(3000, LoadOptions{})
	second := interruptAt(2000, LoadOptions{Append: true, Skip: first.Done})
	equal(t, "recipients that are loaded", second.Done, 5000)
	f.wantUsers("campaign:42", 5000)
}

// A load that is interrupted while it skips what is there counts that. One whose audience begins
// otherwise says what is there.
func TestLoadIsInterruptedWhileItSkips(t *testing.T) {
	f := open(t)
	stopAt := func(stop int64) error {
		ctx, interrupt := context.WithCancel(t.Context())
		opts := LoadOptions{Format: audience.CSV, Progress: func(n int64) {
			if n == stop {
				interrupt()
			}
		}}
		_, err := f.Load(ctx, "42", strings.NewReader(audienceOf(10_000)), opts)
		return err
	}
	mentions(t, stopAt(3000), "the first 3000 recipients are loaded")
	mentions(t, stopAt(1000), "the first 3000 recipients are loaded")
	_, err := f.Load(t.Context(), "42", strings.NewReader("userId\nanother\n"), LoadOptions{Format: audience.CSV})
	mentions(t, err, "an interrupted load has pushed 3000 recipients of an audience that begins differently")
	f.load("42", audienceOf(10_000), LoadOptions{Format: audience.CSV})
	f.wantUsers("campaign:42", 10_000)
}

func TestLoadEndsWhileNothingComes(t *testing.T) {
	f := open(t)
	ctx, interrupt := context.WithCancel(t.Context())
	in, out := io.Pipe()
	defer out.Close() // ends the blocked read of the load
	go func() {
		_, _ = io.WriteString(out, audienceOf(1000))
		_, _ = io.WriteString(out, strings.Repeat("u,t\n", 2)) // by now the first batch is being sent
		interrupt()
	}()
	_, err := f.Load(ctx, "42", in, LoadOptions{Format: audience.CSV})
	if !errors.Is(err, context.Canceled) {
		t.Errorf("got %v", err)
	}
}

func TestLoadFailsWithTheFile(t *testing.T) {
	f := open(t)
	torn := io.MultiReader(strings.NewReader(audienceOf(1500)), failing{errors.New("disk on fire")})
	summary, err := f.Load(t.Context(), "42", torn, LoadOptions{Format: audience.CSV})
	mentions(t, err, "after line 1501: disk on fire: the first 1500 recipients are loaded")
	equal(t, "loaded", summary.Loaded, 1500)
	f.wantUsers("campaign:42", 1500)
}

type failing struct{ err error }

func (f failing) Read([]byte) (int, error) { return 0, f.err }

// Replies are lost so often that the client gives up on commands repeatedly. No recipient is lost
// or doubled.
func TestLoadSurvivesLostReplies(t *testing.T) {
	addr := servers.Redis(t)
	proxy := servers.NewProxy(t, addr)
	f := fixture{T: t, Operator: openAt(t, proxy.Addr()).Operator, rdb: openAt(t, addr).rdb}
	proxy.Lose(servers.IsScript, func(n int, _ []string) bool { return n > 8 && n%16 < 9 })
	summary := f.load("42", audienceOf(5000), LoadOptions{Format: audience.CSV})
	equal(t, "loaded", summary.Loaded, 5000)
	f.wantUsers("campaign:42", 5000)
	if _, lost := proxy.CountMatches(); lost < 9 {
		t.Errorf("only %d replies were lost: this proves nothing", lost)
	}
}

func TestLoadTellsWhatMayBeIn(t *testing.T) {
	addr := servers.Redis(t)
	proxy := servers.NewProxy(t, addr)
	f := fixture{T: t, Operator: openAt(t, proxy.Addr()).Operator, rdb: openAt(t, addr).rdb}
	opts := LoadOptions{Format: audience.CSV, Patience: time.Nanosecond, Progress: func(n int64) {
		if n == 2000 {
			proxy.Lose(nil, func(int, []string) bool { return true })
		}
	}}
	_, err := f.Load(t.Context(), "42", strings.NewReader(audienceOf(5000)), opts)
	broken, is := errors.AsType[*InterruptedError](err)
	if !is || broken.Done != 2000 || broken.Unsure != 1000 {
		t.Fatalf("got %v", err)
	}
	mentions(t, err, "the first 2000 recipients are loaded, and perhaps the next 1000")
	if n := len(f.list("campaign:42")); n < 2000 || n > 3000 {
		t.Errorf("the list holds %d elements", n)
	}
}

func TestLoadStopsAtWhatRedisRefuses(t *testing.T) {
	f := open(t, "--maxmemory", "3mb")
	_, err := f.Load(t.Context(), "42", strings.NewReader(audienceOf(100_000)), LoadOptions{Format: audience.CSV})
	broken, is := errors.AsType[*InterruptedError](err)
	if !is || !redis.IsOOMError(err) || broken.Unsure != 0 || broken.Done == 0 {
		t.Fatalf("got %v", err)
	}
	f.wantUsers("campaign:42", int(broken.Done))
}

func TestLoadSkipsBeyondTheEnd(t *testing.T) {
	f := open(t)
	_, err := f.Load(t.Context(), "42", strings.NewReader(audienceOf(3)), LoadOptions{Format: audience.CSV, Append: true, Skip: 10})
	if _, is := errors.AsType[*audience.FileError](err); !is {
		t.Errorf("got %v", err)
	}
	mentions(t, err, "it has 3 recipients, fewer than the 10 to skip")
}

func TestHowFarAnInterruptedLoadCame(t *testing.T) {
	for want, e := range map[string]InterruptedError{
		"x: nothing is loaded":                                         {},
		"x: the first recipient is loaded":                             {Done: 1},
		"x: the first 3 recipients are loaded":                         {Done: 3},
		"x: the first 3 recipients are loaded, and perhaps the next 2": {Done: 3, Unsure: 2},
	} {
		e.Err = errors.New("x")
		equal(t, "error", e.Error(), want)
	}
}

// TestLoadKeepsLittleInMemory loads an audience that is far larger than the memory a load may
// use.
func TestLoadKeepsLittleInMemory(t *testing.T) {
	f := open(t)
	const rows, most = 200_000, 16 << 20
	token := strings.Repeat("t", 300)
	in, out := io.Pipe()
	go func() {
		fmt.Fprintln(out, "userId,fcmToken,city")
		for i := range rows {
			fmt.Fprintf(out, "u%d,%s,Hue\n", i, token)
		}
		_ = out.Close()
	}()
	var before, now runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&before)
	peak := uint64(0)
	summary, err := f.Load(t.Context(), "42", in, LoadOptions{Format: audience.CSV, Progress: func(n int64) {
		if n%20_000 == 0 {
			runtime.GC()
			runtime.ReadMemStats(&now)
			peak = max(peak, now.HeapAlloc)
		}
	}})
	ok(t, err)
	equal(t, "loaded", summary.Loaded, rows)
	if peak > before.HeapAlloc+most {
		t.Errorf("the load took %d MiB", (peak-before.HeapAlloc)>>20)
	}
}
