package dispatcher

import (
	"regexp"
	"strings"
	"testing"
	"time"

	"fanfare/internal/campaign"
)

// A Job logs how far its campaign is, and the end of a campaign is one line with its counts.
func TestProgressAndEnd(t *testing.T) {
	w := newWorld(t)
	var log strings.Builder
	w.deps.Logger = daemonLog(&log)
	w.campaign(campaign.Spec{ID: "42"}, audience(20)...)
	now := time.Now()
	p := &progressLogger{campaign: "42", campaigns: w.deps.Campaigns, timeout: time.Minute, now: func() time.Time { return now }, log: w.deps.Logger}
	p.look(t.Context())
	if err := w.job("42"); err != nil {
		t.Fatal(err)
	}
	now = now.Add(10 * time.Second)
	p.look(t.Context())
	for _, want := range []string{
		`msg="campaign progress" campaign=42 loaded=20 ended=0 sent=0 waiting=20 in_flight=0 retrying=0\n`,
		`level=INFO msg="campaign completed" campaign=42 state=completed loaded=20 ended=20 sent=20 codes=map\[.*\] resent=0 lost=0 took=.* rate=\d+\n`,
		`msg="campaign progress" campaign=42 loaded=20 ended=20 sent=20 waiting=0 in_flight=0 retrying=0 rate=2 left=0s\n`,
	} {
		if n := len(regexp.MustCompile(want).FindAllString(log.String(), -1)); n != 1 {
			t.Errorf("%d lines like %s in\n%s", n, want, log.String())
		}
	}
}
