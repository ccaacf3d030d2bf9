package fcmsim

import (
	"encoding/json"
	"math"
	"net/http"
	"net/http/httptest"
	"slices"
	"strconv"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"pgregory.net/rapid"
)

func TestInvalidRules(t *testing.T) {
	tests := map[string]string{
		`{"outcomes":[{"code":"BUSY","share":0.1}]}`:                               `no such code: "BUSY"`,
		`{"outcomes":[{"code":"INTERNAL","share":1.1}]}`:                           "share 1.1",
		`{"outcomes":[{"code":"INTERNAL","share":0.6},{"code":"OK","share":0.6}]}`: "more than 1",
		`{"outcomes":[{"code":"INTERNAL","delivered":2}]}`:                         "delivered 2",
		`{"outcomes":[{"code":"INTERNAL","times":-1}]}`:                            "times -1",
		`{"outcomes":[{"code":"RESET_BEFORE_READ","times":1}]}`:                    "before the message is read",
		`{"outcomes":[{"code":"INTERNAL","retryAfter":"date+soon"}]}`:              "retryAfter",
		`{"prefixes":{"vip":{"code":"INTERNAL"}}}`:                                 "hyphen",
		`{"prefixes":{"vip-":{"code":"CLOSE_BEFORE_READ"}}}`:                       "before the token is read",
		`{"latency":"fast"}`:             "lognormal",
		`{"latency":"-1s"}`:              "negative",
		`{"latency":"80ms..20ms"}`:       "below",
		`{"latency":"lognormal(1s, 9)"}`: "sigma",
		`{"latencies":"1s"}`:             "unknown field",
		`{} {}`:                          "more than one",
	}
	for text, want := range tests {
		if _, err := ParseRules([]byte(text)); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want %q", text, err, want)
		}
	}
}

func TestRulesKeepTheirJSON(t *testing.T) {
	const text = `{"latency":"20ms..80ms","outcomes":[{"code":"UNAVAILABLE","share":0.1,"delivered":0.25,"retryAfter":"30","latency":"lognormal(50ms, 0.5)"}],"prefixes":{"vip-":{"code":"INTERNAL","times":2}}}`
	r, err := ParseRules([]byte(text))
	if err != nil {
		t.Fatal(err)
	}
	again, err := json.Marshal(r)
	if err != nil || string(again) != text {
		t.Errorf("%s %v", again, err)
	}
}

func TestLatencyKeepsItsText(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		low := time.Duration(rapid.Int64Range(0, int64(time.Hour)).Draw(t, "low"))
		l := rapid.SampledFrom([]Latency{
			{}, Fixed(low), Uniform(low, low+time.Second), LogNormal(low, rapid.Float64Range(0, 5).Draw(t, "sigma")),
		}).Draw(t, "latency")
		again, err := ParseLatency(l.String())
		if err != nil || again != l {
			t.Fatalf("%q becomes %q: %v", l, again, err)
		}
	})
}

func TestLatencyIsDistributedAsNamed(t *testing.T) {
	const n = 20_000
	draws := func(l Latency) []time.Duration {
		d := rng(1)
		out := make([]time.Duration, n)
		for i := range out {
			out[i] = l.draw(&d)
		}
		slices.Sort(out)
		return out
	}
	uniform := draws(Uniform(20*time.Millisecond, 80*time.Millisecond))
	if uniform[0] < 20*time.Millisecond || uniform[n-1] > 80*time.Millisecond || near(uniform[n/2], 50*time.Millisecond) {
		t.Errorf("uniform from %s over %s to %s", uniform[0], uniform[n/2], uniform[n-1])
	}
	// The 84th percentile of a lognormal distribution is one sigma above the median.
	lognormal := draws(LogNormal(50*time.Millisecond, 0.5))
	above := time.Duration(50 * math.Exp(0.5) * float64(time.Millisecond))
	if near(lognormal[n/2], 50*time.Millisecond) || near(lognormal[n*8413/10000], above) {
		t.Errorf("lognormal median %s, one sigma above %s, want %s", lognormal[n/2], lognormal[n*8413/10000], above)
	}
}

// near fails the test if got is more than 5% off.
func near(got, want time.Duration) bool { return (got - want).Abs() > want/20 }

// ask calls the handler without a network.
func ask(t testing.TB, h http.Handler, token string) *httptest.ResponseRecorder {
	t.Helper()
	body := strings.NewReader(`{"message":{"token":"` + token + `"}}`)
	r := httptest.NewRequestWithContext(t.Context(), http.MethodPost, "/v1/projects/demo/messages:send", body)
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	return w
}

func newSimulator(t testing.TB, o Options) *Simulator {
	t.Helper()
	s, err := New(o)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func TestSharesAreKept(t *testing.T) {
	s := newSimulator(t, Options{Seed: 7, Rules: Rules{Outcomes: []Outcome{
		{Code: CodeUnavailable, Share: 0.2, Delivered: 0.25},
		{Code: CodeUnregistered, Share: 0.1},
	}}})
	const n = 20_000
	for i := range n {
		ask(t, s.Handler(), "t"+strconv.Itoa(i))
	}
	c := s.Counts()
	for what, share := range map[string][2]float64{
		"503":      {float64(c.Codes["UNAVAILABLE"]) / n, 0.2},
		"404":      {float64(c.Codes["UNREGISTERED"]) / n, 0.1},
		"accepted": {float64(c.Accepted) / n, 0.7 + 0.2*0.25},
	} {
		if math.Abs(share[0]-share[1]) > 0.01 {
			t.Errorf("%s: %.3f, want %.3f", what, share[0], share[1])
		}
	}
}

// The same seed gives the same message the same outcome, in any order of messages.
func TestSeedRepeatsARun(t *testing.T) {
	rules := Rules{Outcomes: []Outcome{{Code: CodeInternal, Share: 0.3}, {Code: CodeUnregistered, Share: 0.3}}}
	outcomes := func(seed uint64, order func(i int) int) map[string]int {
		s := newSimulator(t, Options{Seed: seed, Rules: rules})
		out := make(map[string]int)
		for i := range 200 {
			token := "t" + strconv.Itoa(order(i))
			out[token] = ask(t, s.Handler(), token).Code
		}
		return out
	}
	forward := outcomes(1, func(i int) int { return i })
	backward := outcomes(1, func(i int) int { return 199 - i })
	other := outcomes(2, func(i int) int { return i })
	var differing int
	for token, code := range forward {
		if backward[token] != code {
			t.Errorf("%s: %d, and %d in another order", token, code, backward[token])
		}
		if other[token] != code {
			differing++
		}
	}
	if differing == 0 {
		t.Error("another seed changes nothing")
	}
}

func TestRetryAfterHeader(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		for text, want := range map[string]string{
			"":          "",
			"30":        "30",
			"1e9 years": "1e9 years",
			"date+30s":  time.Now().Add(30 * time.Second).UTC().Format(http.TimeFormat),
		} {
			s := newSimulator(t, Options{Rules: Rules{Outcomes: []Outcome{{Code: CodeQuotaExceeded, Share: 1, RetryAfter: text}}}})
			if got := ask(t, s.Handler(), "t").Header().Get("Retry-After"); got != want {
				t.Errorf("%q: header %q, want %q", text, got, want)
			}
		}
	})
}

func TestLatencyDelaysTheAnswer(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newSimulator(t, Options{Rules: Rules{
			Latency:  Fixed(50 * time.Millisecond),
			Prefixes: map[string]Outcome{"slow-": {Code: CodeOK, Latency: Fixed(5 * time.Second)}, "quick-": {Code: CodeOK, Latency: Fixed(0)}},
		}})
		for token, want := range map[string]time.Duration{
			"t": 50 * time.Millisecond, "slow-t": 5 * time.Second, "quick-t": 0, "dead-t": 50 * time.Millisecond,
		} {
			start := time.Now()
			ask(t, s.Handler(), token)
			if took := time.Since(start); took != want {
				t.Errorf("%s took %s, want %s", token, took, want)
			}
		}
	})
}

func TestPrefixesCanBeRedefined(t *testing.T) {
	s := newSimulator(t, Options{Rules: Rules{Prefixes: map[string]Outcome{
		"dead-": {Code: CodeInternal},
		"vip-":  {Code: CodeUnavailable, Times: 1},
	}}})
	var got []int
	for _, token := range []string{"dead-1", "vip-1", "vip-1", "dead-vip-1", "invalid-1"} {
		got = append(got, ask(t, s.Handler(), token).Code)
	}
	if want := []int{500, 503, 200, 500, 400}; !slices.Equal(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
}

func TestTimesLimitsAnOutcome(t *testing.T) {
	s := newSimulator(t, Options{Rules: Rules{Outcomes: []Outcome{{Code: CodeInternal, Share: 1, Times: 2}}}})
	var got []int
	for range 4 {
		got = append(got, ask(t, s.Handler(), "t").Code)
	}
	if want := []int{500, 500, 200, 200}; !slices.Equal(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
}

func TestRulesChangeWhileServing(t *testing.T) {
	s := newSimulator(t, Options{})
	if got := ask(t, s.Handler(), "t").Code; got != http.StatusOK {
		t.Fatalf("got %d", got)
	}
	if err := s.SetRules(Rules{Outcomes: []Outcome{{Code: CodeInternal, Share: 1}}}); err != nil {
		t.Fatal(err)
	}
	if got := ask(t, s.Handler(), "t").Code; got != http.StatusInternalServerError {
		t.Errorf("got %d", got)
	}
	if err := s.SetRules(Rules{Outcomes: []Outcome{{Share: 2}}}); err == nil {
		t.Error("wrong rules are taken")
	}
	if got := s.Rules().Outcomes[0].Code; got != CodeInternal {
		t.Errorf("wrong rules replaced good ones: %s", got)
	}
}

func TestInvalidOptions(t *testing.T) {
	for _, o := range []Options{
		{TokenLifetime: time.Millisecond},
		{Ledger: "everything"},
		{Rules: Rules{Outcomes: []Outcome{{Share: -1}}}},
	} {
		if _, err := New(o); err == nil {
			t.Errorf("%+v is taken", o)
		}
	}
}

// Shares are of all requests, although some outcomes happen before the others.
func TestSharesAreOfAllRequests(t *testing.T) {
	p := newRuleset(Rules{Outcomes: []Outcome{
		{Code: CodeRefusedStream, Share: 0.25}, {Code: CodeInternal, Share: 0.25}, {Code: CodeCloseBeforeRead, Share: 0.25},
	}}, time.Now())
	if len(p.beforeRead) != 2 || p.beforeRead[0].limit != 0.25 || p.beforeRead[1].limit != 0.5 {
		t.Errorf("before the request is read: %+v", p.beforeRead)
	}
	if len(p.afterRead) != 1 || p.afterRead[0].limit != 0.5 { // half of the half that is read
		t.Errorf("after it is read: %+v", p.afterRead)
	}
	d, failed := rng(1), 0
	for range 1000 {
		if _, decided := (TokenRules{Fault: TokenInternal, Share: 0.9}).drawFailure(&d); decided {
			failed++
		}
	}
	if failed < 850 || failed > 950 {
		t.Errorf("%d of 1000 exchanges fail, want nine of ten", failed)
	}
}

func TestAccessTokenExpires(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		issuer, current := newIssuer(), newRuleset(Rules{}, time.Now())
		header := "Bearer " + issuer.issue(time.Now(), time.Minute)
		for _, c := range []struct {
			wait time.Duration
			good bool
		}{{0, true}, {time.Minute, true}, {1, false}} {
			pass(c.wait)
			if refused := issuer.authorize(header, current, time.Now()); (refused == nil) != c.good {
				t.Errorf("%s later: refused %t", c.wait, refused != nil)
			}
		}
	})
}

func TestClearedCountsStartWithRequestsInFlight(t *testing.T) {
	s := newSimulator(t, Options{})
	for _, g := range []*gauge{&s.counters.inFlight, &s.counters.open} {
		g.increase()
		g.increase()
		g.decrease()
	}
	s.ClearLedger()
	if c := s.Counts(); c.InFlight != 1 || c.MaxInFlight != 1 || c.Connections.Open != 1 || c.Connections.MaxOpen != 1 {
		t.Errorf("got %+v", c)
	}
}
