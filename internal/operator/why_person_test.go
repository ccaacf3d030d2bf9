package operator

import (
	"errors"
	"testing"

	"fanfare/internal/campaign"
	"fanfare/internal/notification"
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

// A message that is wrong is replaced, in as many steps as the state wants. Other faults of a spec
// are shown first.
func TestRepairsOfTheBroken(t *testing.T) {
	t.Parallel()
	wrong := &MessageError{ID: "42", Faults: notification.Faults{{Field: "message.data.a", Problem: "is a number"}}}
	for _, c := range []struct {
		state campaign.State
		err   error
		want  string
	}{
		{campaign.Running, wrong, "fanfare campaign pause 42, then fanfare campaign set 42 --message FILE, then fanfare campaign resume 42"},
		{campaign.Paused, wrong, "fanfare campaign set 42 --message FILE, then fanfare campaign resume 42"},
		{campaign.Draft, wrong, "fanfare campaign set 42 --message FILE"},
		{campaign.Running, errors.New("weight is 0"), "fanfare campaign show 42"},
	} {
		reasons := Why(View{Spec: campaign.Spec{ID: "42", State: c.state}, Err: c.err}, Surroundings{})
		if len(reasons) == 0 || reasons[0].Kind != ReasonBroken || reasons[0].Next != c.want {
			t.Errorf("%s, %v: %+v, want %q", c.state, c.err, reasons, c.want)
		}
	}
}
