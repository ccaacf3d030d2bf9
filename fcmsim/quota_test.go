package fcmsim

import (
	"net/http"
	"net/http/httptest"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"pgregory.net/rapid"
)

// pass advances time. In a synctest bubble it takes none.
func pass(d time.Duration) { <-time.After(d) }

func statuses(t *testing.T, s *Simulator, tokens ...string) []int {
	t.Helper()
	var got []int
	for _, token := range tokens {
		got = append(got, ask(t, s.Handler(), token).Code)
	}
	return got
}

// The minutes are not the clock's, and no token is carried into the next.
func TestQuotaIsRefilledEachUnalignedMinute(t *testing.T) {
	synctest.Test(t, func(t *testing.T) { // begins at a full minute
		s := newSimulator(t, Options{Rules: Rules{Quota: Quota{PerMinute: 2, Offset: Duration(17 * time.Second)}}})
		for _, step := range []struct {
			after    time.Duration
			accepted int64
			wait     string // of the first refusal
		}{
			{0, 2, "17"},
			{17*time.Second - time.Nanosecond, 2, "1"},
			{time.Nanosecond, 4, "60"},
			{3 * time.Minute, 6, "60"},
			{30*time.Second + time.Millisecond, 6, "30"}, // rounded up
		} {
			pass(step.after)
			var wait string
			for range 3 {
				if w := ask(t, s.Handler(), "t"); w.Code == http.StatusTooManyRequests && wait == "" {
					wait = w.Header().Get("Retry-After")
				}
			}
			if c := s.Counts(); c.Accepted != step.accepted || wait != step.wait {
				t.Errorf("%s later: %d accepted, Retry-After %q, want %d and %q", step.after, c.Accepted, wait, step.accepted, step.wait)
			}
		}
	})
}

// 4xx count, but not 429, nor requests that FCM never read.
func TestWhatCostsQuota(t *testing.T) {
	for what, tt := range map[string]struct {
		rules Rules
		token string
		costs bool
	}{
		"accepted":     {Rules{}, "t", true},
		"404":          {Rules{}, "dead-1", true},
		"400":          {Rules{}, "a b", true},
		"503":          {Rules{}, "unavailable-1", true},
		"device's 429": {Rules{}, "device-quota-1", false},
		"overload":     {Rules{}, "overload-1", false},
		"over quota":   {Rules{Outcomes: []Outcome{{Code: CodeQuotaExceeded, Share: 1}}}, "t", false},
	} {
		synctest.Test(t, func(t *testing.T) {
			tt.rules.Quota.PerMinute = 1
			s := newSimulator(t, Options{Rules: tt.rules})
			ask(t, s.Handler(), tt.token)
			if err := s.SetRules(Rules{Quota: tt.rules.Quota}); err != nil { // used quota stays used
				t.Fatal(err)
			}
			want := http.StatusOK
			if tt.costs {
				want = http.StatusTooManyRequests
			}
			if got := ask(t, s.Handler(), "next").Code; got != want {
				t.Errorf("%s: the next is answered %d, want %d", what, got, want)
			}
		})
	}
}

func TestQuotaIsOfOneProject(t *testing.T) {
	s := newSimulator(t, Options{Rules: Rules{Quota: Quota{PerMinute: 1}}})
	for _, project := range []string{"a", "b"} {
		r := httptest.NewRequestWithContext(t.Context(), http.MethodPost, "/v1/projects/"+project+"/messages:send",
			strings.NewReader(`{"message":{"token":"t"}}`))
		w := httptest.NewRecorder()
		s.Handler().ServeHTTP(w, r)
		if w.Code != http.StatusOK {
			t.Errorf("project %s: %d", project, w.Code)
		}
	}
}

func TestQuotaRetryAfter(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		refill := time.Now().Add(42 * time.Second).UTC().Format(http.TimeFormat)
		for form, want := range map[string]string{
			"": "42", "seconds": "42", "date": refill, "none": "", "tomorrow": "tomorrow", "31536000000": "31536000000",
		} {
			quota := Quota{PerMinute: 1, Offset: Duration(42 * time.Second), RetryAfter: form}
			s := newSimulator(t, Options{Rules: Rules{Quota: quota}})
			ask(t, s.Handler(), "t")
			w := ask(t, s.Handler(), "t")
			if got := w.Header().Get("Retry-After"); w.Code != http.StatusTooManyRequests || got != want {
				t.Errorf("%q: %d, Retry-After %q, want %q", form, w.Code, got, want)
			}
		}
	})
}

// Google's front end and the reference have different responses.
func TestQuotaRefusesWithItsCode(t *testing.T) {
	for code, words := range map[Code][]string{
		CodeOK:            {"QUOTA_EXCEEDED", "QuotaFailure", `"project:demo"`},
		CodeQuotaExceeded: {"QUOTA_EXCEEDED", "QuotaFailure", `"project:demo"`},
		CodeRateLimited:   {"RATE_LIMIT_EXCEEDED", "ErrorInfo", "Send requests per minute", `"quota_limit_value": "1"`},
	} {
		s := newSimulator(t, Options{Rules: Rules{Quota: Quota{PerMinute: 1, Code: code}}})
		ask(t, s.Handler(), "t")
		body := ask(t, s.Handler(), "t").Body.String()
		for _, word := range words {
			if !strings.Contains(body, word) {
				t.Errorf("%s: nothing of %s in %s", code, word, body)
			}
		}
	}
}

func TestSpeedShortensTheMinuteAlone(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newSimulator(t, Options{Speed: 10, Rules: Rules{Quota: Quota{PerMinute: 1}, Latency: Fixed(time.Second)}})
		start := time.Now()
		if got := statuses(t, s, "a", "b"); got[0] != 200 || got[1] != 429 {
			t.Errorf("got %v", got)
		}
		if took := time.Since(start); took != 2*time.Second {
			t.Errorf("two answers took %s", took)
		}
		pass(4 * time.Second)
		if got := statuses(t, s, "c"); got[0] != 200 {
			t.Errorf("after six seconds: %v", got)
		}
	})
}

// However many senders race, each minute has exactly its tokens.
func TestBucketHasExactlyItsTokens(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		limit, senders := rapid.IntRange(1, 50).Draw(t, "limit"), rapid.IntRange(1, 8).Draw(t, "senders")
		first := rapid.Uint32().Draw(t, "minute") // its number wraps around
		var b bucket
		for minute := first; minute != first+3; minute++ {
			var taken, back sync.Map
			var group sync.WaitGroup
			for sender := range senders {
				group.Go(func() {
					for i := range limit {
						if b.take(minute, limit) {
							taken.Store(strconv.Itoa(sender)+"/"+strconv.Itoa(i), true)
							if i%3 == 0 {
								b.giveBack(minute)
								back.Store(strconv.Itoa(sender)+"/"+strconv.Itoa(i), true)
							}
						}
					}
				})
			}
			group.Wait()
			for b.take(minute, limit) {
				taken.Store(b.state.Load(), true)
			}
			if kept := size(&taken) - size(&back); kept != limit {
				t.Fatalf("minute %d gave %d tokens of %d", minute, kept, limit)
			}
		}
	})
}

func size(m *sync.Map) int {
	var n int
	m.Range(func(any, any) bool { n++; return true })
	return n
}

// A late request of the previous minute does not open that minute again.
func TestBucketDoesNotGoBack(t *testing.T) {
	var b bucket
	if !b.take(8, 1) || b.take(7, 1) || b.take(8, 1) {
		t.Error("an old minute gave a token")
	}
	b.giveBack(7)
	if b.take(8, 1) {
		t.Error("a token of an old minute came back into the new one")
	}
}

func TestDeviceHasAMinuteAndAnHour(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newSimulator(t, Options{Rules: Rules{Device: DeviceLimits{PerMinute: 2, PerHour: 3}}})
		if got := statuses(t, s, "a", "a", "a", "b", "dead-a"); !slices.Equal(got, []int{200, 200, 429, 200, 404}) {
			t.Errorf("in the first minute: %v", got)
		}
		pass(time.Minute - time.Nanosecond)
		if got := statuses(t, s, "a"); got[0] != 429 {
			t.Errorf("just before its end: %v", got)
		}
		pass(time.Nanosecond)
		if got := statuses(t, s, "a", "a"); !slices.Equal(got, []int{200, 429}) {
			t.Errorf("after it, with one left of the hour: %v", got)
		}
		refused := ask(t, s.Handler(), "a")
		if wait := refused.Header().Get("Retry-After"); wait != "3540" || !strings.Contains(refused.Body.String(), `"device:`) {
			t.Errorf("Retry-After %q, %s", wait, refused.Body)
		}
		pass(59 * time.Minute)
		if got := statuses(t, s, "a"); got[0] != 200 {
			t.Errorf("after the hour: %v", got)
		}
		if c := s.Counts(); c.Codes["DEVICE_QUOTA_EXCEEDED"] != 4 || c.Accepted != 5 {
			t.Errorf("counts %+v", c)
		}
	})
}

// Topics are not devices, and validate_only reaches none.
func TestMessagesThatReachNoDevice(t *testing.T) {
	s := newSimulator(t, Options{Rules: Rules{Device: DeviceLimits{PerMinute: 1}}})
	for _, body := range []string{`{"message":{"topic":"news"}}`, `{"message":{"token":"t"},"validate_only":true}`} {
		for range 2 {
			if v := s.decideFull(request{project: "demo", body: []byte(body)}); v.response().status == http.StatusTooManyRequests {
				t.Errorf("%s is limited", body)
			}
		}
	}
}
