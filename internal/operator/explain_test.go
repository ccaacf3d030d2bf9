package operator

import (
	"context"
	"errors"
	"slices"
	"testing"
	"time"

	"fanfare/internal/audience"
	"fanfare/internal/campaign"
	"fanfare/internal/keys"
	"fanfare/internal/notification"
	"fanfare/internal/pacing"
	"fanfare/internal/store"
)

// closedGate is a project whose gate is closed.
type closedGate struct{ err error }

func (g closedGate) State(context.Context) (pacing.State, error) {
	now := time.Now()
	return pacing.State{Now: now, Gate: pacing.Gate{Until: now.Add(time.Minute), Reason: "429"}, Settings: pacing.DefaultSettings()}, g.err
}

// of is the same pace for any project.
func of(pace PaceReader) FindPace { return func(string) PaceReader { return pace } }

// A campaign that gets nothing is explained by what others and the project do. What cannot be read
// is no reason.
func TestExplain(t *testing.T) {
	t.Parallel()
	f := open(t)
	for id, priority := range map[string]int{"42": 0, "urgent": 5} {
		f.create(id)
		f.load(id, audienceOf(3), LoadOptions{Format: audience.CSV})
		ok(t, f.deps.Campaigns.Change(t.Context(), id, campaign.Change{Priority: &priority}))
		ok(t, f.deps.Campaigns.Move(t.Context(), id, campaign.Running, ""))
	}
	for name, c := range map[string]struct {
		pace FindPace
		want []ReasonKind
	}{
		"without a project": {nil, []ReasonKind{ReasonNoDispatcher, ReasonPriority}},
		"a closed gate":     {of(closedGate{}), []ReasonKind{ReasonNoDispatcher, ReasonGate, ReasonPriority}},
		"an unknown pace":   {of(closedGate{errors.New("away")}), []ReasonKind{ReasonNoDispatcher, ReasonPriority}},
	} {
		view, err := f.Show(t.Context(), "42")
		ok(t, err)
		f.Explain(t.Context(), &view, c.pace)
		wantKinds(t, name+", shown", view.Reasons, c.want)
		all, err := f.List(t.Context())
		ok(t, err)
		f.ExplainAll(t.Context(), all, c.pace)
		for _, v := range all {
			if v.Spec.ID == "42" {
				wantKinds(t, name+", listed", v.Reasons, c.want)
			}
		}
	}
}

// Each campaign is explained by the pace of its own project, and each project is asked once.
func TestExplainByProject(t *testing.T) {
	t.Parallel()
	f := open(t)
	asked := map[string]int{}
	paces := func(project string) PaceReader {
		asked[project]++
		if project == "halted" {
			return closedGate{}
		}
		return nil
	}
	for id, project := range map[string]string{"a": "halted", "b": "other", "c": "halted", "d": ""} {
		f.create(id)
		f.load(id, audienceOf(3), LoadOptions{Format: audience.CSV})
		ok(t, f.deps.Campaigns.Change(t.Context(), id, campaign.Change{Project: &project}))
		ok(t, f.deps.Campaigns.Move(t.Context(), id, campaign.Running, ""))
	}
	all, err := f.List(t.Context())
	ok(t, err)
	f.ExplainAll(t.Context(), all, paces)
	for _, v := range all {
		isHeld := func(r Reason) bool { return r.Kind == ReasonGate }
		equal(t, v.Spec.ID, slices.ContainsFunc(v.Reasons, isHeld), v.Spec.Project == "halted")
		one := v
		f.Explain(t.Context(), &one, paces)
		equal(t, v.Spec.ID+", alone", slices.ContainsFunc(one.Reasons, isHeld), v.Spec.Project == "halted")
	}
	equal(t, "questions for the halted project", asked["halted"], 1+2)
}

func wantKinds(t *testing.T, what string, reasons []Reason, want []ReasonKind) {
	t.Helper()
	var got []ReasonKind
	for _, r := range reasons {
		got = append(got, r.Kind)
	}
	if len(got) != len(want) {
		t.Errorf("%s: got %v, want %v", what, got, want)
		return
	}
	for i := range got {
		equal(t, what, got[i], want[i])
	}
}

// someRecords has the summary of a campaign, or none.
type someRecords struct {
	Records

	sent int64
	err  error
}

func (r someRecords) Summary(context.Context, string) (store.Summary, error) {
	return store.Summary{Counts: map[notification.Status]int64{notification.StatusSent: r.sent}}, r.err
}

// Outcomes that are not in SQL are counted, also after the end of the campaign, with the reason.
func TestExplainUnwritten(t *testing.T) {
	t.Parallel()
	f := open(t)
	f.create("42")
	list, err := f.deps.Names.Campaign("42")
	ok(t, err)
	ok(t, f.rdb.HSet(t.Context(), list.Key(keys.SuffixCounts), "claimed", 3, "ended:sent", 3).Err())
	ok(t, f.rdb.RPush(t.Context(), f.deps.Names.Responses, `{}`, `{}`).Err())
	ok(t, f.deps.Campaigns.Move(t.Context(), "42", campaign.Cancelled, ""))
	for name, c := range map[string]struct {
		records Records
		want    *Written
		reason  ReasonKind
	}{
		"without SQL":    {nil, nil, ""},
		"all written":    {someRecords{sent: 3}, &Written{InSQL: 3, Of: 3}, ""},
		"some written":   {someRecords{sent: 1}, &Written{InSQL: 1, Of: 3}, ReasonNoResponder},
		"SQL is away":    {someRecords{err: errors.New("refused")}, &Written{Of: 3, Error: "refused"}, ReasonNoResponder},
		"more than once": {someRecords{sent: 4}, &Written{InSQL: 3, Of: 3}, ""},
	} {
		f.deps.Records = c.records
		view := f.show("42")
		f.Explain(t.Context(), &view, nil)
		if (view.Written == nil) != (c.want == nil) || c.want != nil && *view.Written != *c.want {
			t.Errorf("%s: written %+v, want %+v", name, view.Written, c.want)
		}
		var got ReasonKind
		for _, r := range view.Reasons {
			got = r.Kind
		}
		equal(t, name, got, c.reason)
	}
}
