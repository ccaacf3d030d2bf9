package operator

import (
	"strings"
	"testing"

	"fanfare/internal/audience"
	"fanfare/internal/campaign"
	"fanfare/internal/checks"
)

// wantFinding fails the test unless a finding has the grade and contains the text. A finding that
// is not good has advice.
func wantFinding(t *testing.T, all []checks.Finding, name string, grade checks.Grade, says string) {
	t.Helper()
	for _, f := range all {
		if f.Name != name {
			continue
		}
		if f.Grade != grade || !strings.Contains(f.Detail+" "+f.Advice, says) || grade != checks.Good && f.Advice == "" {
			t.Errorf("got %+v, want %s that says %q", f, grade, says)
		}
		return
	}
	t.Errorf("no finding about %s: %+v", name, all)
}

// An incomplete audience is found before its campaign is started.
func TestCheckOfAudiences(t *testing.T) {
	f := open(t)
	f.create("42")
	f.load("42", audienceOf(3), LoadOptions{Format: audience.CSV})
	wantFinding(t, f.Check(t.Context()), "audiences", checks.Good, "complete")
	ok(t, f.rdb.Del(t.Context(), "campaign:42").Err())
	wantFinding(t, f.Check(t.Context()), "audiences", checks.Warning, "campaign 42 (3 of 3 recipients went missing in Redis)")
}

// An incomplete audience does not matter once its campaign has ended.
func TestCheckOfAudiencesThatHaveEnded(t *testing.T) {
	f := open(t)
	audiences := func() checks.Grade {
		return checks.Run(t.Context(), checks.Probe{Name: "audiences", Run: f.probeAudiences})[0].Grade
	}
	f.create("42", campaign.Running)
	f.load("42", audienceOf(3), LoadOptions{Format: audience.CSV})
	ok(t, f.rdb.Del(t.Context(), "campaign:42").Err())
	equal(t, "while it runs", audiences(), checks.Warning)
	ok(t, f.deps.Campaigns.Move(t.Context(), "42", campaign.Cancelled, ""))
	equal(t, "once it has ended", audiences(), checks.Good)
}
