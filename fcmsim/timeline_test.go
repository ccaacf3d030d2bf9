package fcmsim

import (
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

func failing(code Code) Rules { return Rules{Outcomes: []Outcome{{Code: code, Share: 1}}} }

func TestTimelineSwitchesRules(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		timeline, err := ParseTimeline([]byte(` [{"at":"10s","rules":{"outcomes":[{"code":"UNAVAILABLE","share":1}]}},{"at":"1m","rules":{}}]`))
		if err != nil {
			t.Fatal(err)
		}
		s := newSimulator(t, Options{Rules: failing(CodeInternal), Timeline: timeline})
		var got []int
		for _, after := range []time.Duration{0, 10*time.Second - 1, 1, 50*time.Second - 1, 1, time.Hour} {
			pass(after)
			got = append(got, statuses(t, s, "t")...)
		}
		if want := []int{500, 500, 503, 503, 200, 200}; !slices.Equal(got, want) {
			t.Errorf("got %v, want %v", got, want)
		}
	})
}

func TestTimelineRepeats(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		timeline, err := ParseTimeline([]byte(`{"repeat":"1m","steps":[{"at":"20s","rules":{"outcomes":[{"code":"INTERNAL","share":1}]}}]}`))
		if err != nil {
			t.Fatal(err)
		}
		s := newSimulator(t, Options{Timeline: timeline})
		var got []int
		for range 7 { // at 0, 20, 40, … seconds, then after days
			got = append(got, statuses(t, s, "t")...)
			pass(20 * time.Second)
		}
		pass(48 * time.Hour)
		got = append(got, statuses(t, s, "t")...)
		if want := []int{200, 500, 500, 200, 500, 500, 200, 500}; !slices.Equal(got, want) {
			t.Errorf("got %v, want %v", got, want)
		}
	})
}

// SetRules ends a timeline, a timeline ends another, and a stop keeps the current step.
func TestTimelineEnds(t *testing.T) {
	soon := Timeline{Steps: []Step{{At: Duration(time.Second), Rules: failing(CodeInternal)}, {At: Duration(time.Minute)}}}
	for name, tt := range map[string]struct {
		end  func(*Simulator) error
		want int
	}{
		"not":   {func(*Simulator) error { return nil }, 200},
		"rules": {func(s *Simulator) error { return s.SetRules(failing(CodeUnavailable)) }, 503},
		"another": {func(s *Simulator) error {
			return s.PlayTimeline(Timeline{Steps: []Step{{Rules: failing(CodeUnregistered)}}})
		}, 404},
		"stop":     {func(s *Simulator) error { s.StopTimeline(); return nil }, 500},
		"stop all": {func(s *Simulator) error { s.StopTimeline(); s.StopTimeline(); return nil }, 500},
	} {
		synctest.Test(t, func(t *testing.T) {
			s := newSimulator(t, Options{Timeline: soon})
			pass(2 * time.Second)
			if err := tt.end(s); err != nil {
				t.Fatal(err)
			}
			pass(time.Hour)
			if got := statuses(t, s, "t"); got[0] != tt.want {
				t.Errorf("%s: %v, want %d", name, got, tt.want)
			}
		})
	}
}

func TestInvalidTimelines(t *testing.T) {
	for text, want := range map[string]string{
		`[]`:                                   "no steps",
		`{"repeat":"1m"}`:                      "no steps",
		`[{"at":"2s"},{"at":"2s"}]`:            "step 2 at 2s",
		`[{"at":"-1s"}]`:                       "step 1",
		`[{"at":"soon"}]`:                      "duration",
		`[{"at":"1s","rules":{"outcome":[]}}]`: "unknown field",
		`[{"at":"1s","rules":{"quota":{"perMinute":-1}}}]`: "step 1: quota: perMinute -1",
		`{"steps":[{"at":"1m"}],"repeat":"1m"}`:            "repeat",
		`[] []`:                                            "more than one",
	} {
		if _, err := ParseTimeline([]byte(text)); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want %q", text, err, want)
		}
	}
}

func TestTimelineOverTheAdminAPI(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newSimulator(t, Options{})
		call := func(method, body string) (int, string) {
			w := httptest.NewRecorder()
			s.AdminHandler().ServeHTTP(w, httptest.NewRequestWithContext(t.Context(), method, "/admin/timeline", strings.NewReader(body)))
			return w.Code, w.Body.String()
		}
		for _, step := range []struct {
			method, body string
			status       int
			says         string
		}{
			{http.MethodGet, "", 404, "no timeline"},
			{http.MethodPut, `[{"at":"1s","rule":{}}]`, 400, "unknown field"},
			{http.MethodPut, `{"repeat":"1m","steps":[{"at":"1s","rules":{"outcomes":[{"code":"INTERNAL","share":1}]}}]}`, 204, ""},
			{http.MethodGet, "", 200, `"repeat": "1m0s"`},
			{http.MethodGet, "", 200, `"began": "2000-01-01T`},
		} {
			if status, says := call(step.method, step.body); status != step.status || !strings.Contains(says, step.says) {
				t.Errorf("%s %s: %d %s", step.method, step.body, status, says)
			}
		}
		pass(time.Second)
		if status, _ := call(http.MethodDelete, ""); status != http.StatusNoContent {
			t.Errorf("DELETE: %d", status)
		}
		pass(time.Minute)
		if got := statuses(t, s, "t"); got[0] != 500 {
			t.Errorf("stopped in its step: %v", got)
		}
		if status, _ := call(http.MethodGet, ""); status != http.StatusNotFound {
			t.Errorf("stopped, and still shown: %d", status)
		}
	})
}
