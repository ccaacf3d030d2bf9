package fcmsim

import (
	"net/http"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

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

// Topics are no devices, and a trial run reaches none.
func TestWhatReachesNoDevice(t *testing.T) {
	s := newSimulator(t, Options{Rules: Rules{Device: DeviceLimits{PerMinute: 1}}})
	for _, body := range []string{`{"message":{"topic":"news"}}`, `{"message":{"token":"t"},"validate_only":true}`} {
		for range 2 {
			if v := s.receive(request{project: "demo", body: []byte(body)}); v.answer().status == http.StatusTooManyRequests {
				t.Errorf("%s is limited", body)
			}
		}
	}
}
