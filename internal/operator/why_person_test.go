package operator

import (
	"testing"

	"fanfare/internal/campaign"
)

// A person is needed where nothing moves by itself.
func TestWhoNeedsAPerson(t *testing.T) {
	t.Parallel()
	stops, slows := Reason{Kind: ReasonPaused, Stops: true}, Reason{Kind: ReasonQuota}
	ends, draft := Reason{Kind: ReasonGate, Stops: true, EndsByItself: true}, Reason{Kind: ReasonDraft, Stops: true}
	running := campaign.Spec{State: campaign.Running}
	for name, c := range map[string]struct {
		v    View
		want bool
	}{
		"moves":               {View{Spec: running}, false},
		"stopped":             {View{Spec: running, Reasons: []Reason{stops}}, true},
		"only slow":           {View{Spec: running, Reasons: []Reason{slows, stops}}, false},
		"ends by itself":      {View{Spec: running, Reasons: []Reason{ends}}, false},
		"a draft":             {View{Spec: campaign.Spec{State: campaign.Draft}, Reasons: []Reason{draft}}, false},
		"a list alone":        {View{Reasons: []Reason{stops}}, false},
		"missing":             {View{Spec: running, Books: campaign.Books{Missing: 2, Waived: 1}}, true},
		"missing, given up":   {View{Spec: running, Books: campaign.Books{Missing: 2, Waived: 2}}, false},
		"missing at its end":  {View{Spec: campaign.Spec{State: campaign.Completed}, Books: campaign.Books{Missing: 2}}, false},
		"missing while a gap": {View{Spec: campaign.Spec{State: campaign.Paused}, Books: campaign.Books{Missing: 1}, Reasons: []Reason{ends}}, true},
	} {
		if got := c.v.NeedsPerson(); got != c.want {
			t.Errorf("%s: %t, want %t", name, got, c.want)
		}
	}
}

// A broken campaign says so after its end as well. One without recipients is told where to get
// them.
func TestWhyOfTheBrokenAndTheEmpty(t *testing.T) {
	t.Parallel()
	ended := campaign.Spec{ID: "42", State: campaign.Completed, Message: []byte(plainMessage)}
	if reasons := Why(View{Spec: ended}, Surroundings{}); len(reasons) != 0 {
		t.Errorf("an ended campaign has reasons: %+v", reasons)
	}
	if reasons := Why(View{Spec: ended, Err: &campaign.SpecError{ID: "42", Field: "message", Problem: "is empty"}}, Surroundings{}); len(reasons) == 0 {
		t.Error("an ended campaign that is broken has no reason")
	}
	for next, source := range map[string]campaign.Source{
		"fanfare load 42 FILE; or have the application push them": {},
		"fanfare load 42": {Files: []string{"/users.csv"}},
	} {
		spec := campaign.Spec{ID: "42", State: campaign.Running, Message: []byte(plainMessage), Source: source}
		w := why{View: View{Spec: spec}}
		w.explainNoAudience("42")
		if len(w.reasons) != 1 || w.reasons[0].Next != next {
			t.Errorf("with the source %+v: %+v, want %q", source, w.reasons, next)
		}
	}
}
