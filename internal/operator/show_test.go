package operator

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"fanfare/internal/audience"
	"fanfare/internal/campaign"
	"fanfare/internal/redisx"
)

func (f fixture) show(id string) View {
	f.Helper()
	v, err := f.Show(f.Context(), id)
	ok(f.T, err)
	return v
}

func TestShow(t *testing.T) {
	f := open(t)
	f.create("42")
	f.load("42", audienceOf(3), LoadOptions{Format: audience.CSV})
	v := f.show("42")
	if v.Spec.State != campaign.Draft || string(v.Spec.Message) != plainMessage || v.Books.Waiting != 3 || !v.Books.IsBalanced() {
		t.Errorf("got %+v", v)
	}

	if _, err := f.Show(t.Context(), "none"); !errors.Is(err, campaign.ErrNotFound) {
		t.Errorf("of a campaign that is not there: %v", err)
	}

	// A list without a spec, as an application writes it first.
	ok(t, f.rdb.RPush(t.Context(), "campaign:7", `{"userId":1}`).Err())
	v = f.show("7")
	if v.Spec.ID != "7" || v.Spec.State != "" || v.Books.Waiting != 1 {
		t.Errorf("of a list that waits for a message: %+v", v)
	}

	// An invalid spec is shown with its faults.
	ok(t, f.rdb.HSet(t.Context(), "{campaign:8}:spec", "message", plainMessage, "state", "flying").Err())
	mentions(t, f.show("8").Err, "spec of campaign 8: field state is \"flying\"")

	// A key of another type is not shown.
	ok(t, f.rdb.Set(t.Context(), "{campaign:9}:spec", "x", 0).Err())
	_, err := f.Show(t.Context(), "9")
	if wrong, is := errors.AsType[*redisx.TypeError](err); !is || wrong.Key != "{campaign:9}:spec" {
		t.Errorf("of a key of another type: %v", err)
	}
}

func TestListShowsAll(t *testing.T) {
	f := open(t)
	f.create("42")
	ok(t, f.rdb.RPush(t.Context(), "campaign:7", `{"userId":1}`).Err())
	ok(t, f.rdb.HSet(t.Context(), "{campaign:8}:spec", "message", plainMessage, "state", "flying").Err())
	ok(t, f.rdb.RPush(t.Context(), "campaign:8", `{"userId":1}`).Err())
	views, err := f.List(t.Context())
	ok(t, err)
	var got []string
	for _, v := range views {
		got = append(got, fmt.Sprintf("%s %s %d %t", v.Spec.ID, v.Spec.State, v.Books.Waiting, v.Err != nil))
	}
	equal(t, "campaigns", strings.Join(got, "; "), "42 draft 0 false; 7  1 false; 8 flying 1 true")
}

// single counts the scripts that a client sends to breakers one by one.
type single struct{ scripts int }

func (s *single) DialHook(next redis.DialHook) redis.DialHook { return next }

func (s *single) ProcessHook(next redis.ProcessHook) redis.ProcessHook {
	return func(ctx context.Context, command redis.Cmder) error {
		if strings.HasPrefix(command.Name(), "eval") && strings.Contains(fmt.Sprint(command.Args()...), ":breaker") {
			s.scripts++
		}
		return next(ctx, command)
	}
}

func (s *single) ProcessPipelineHook(next redis.ProcessPipelineHook) redis.ProcessPipelineHook {
	return next
}

// A list reads all breakers in one go, however many campaigns run, and shows those that are held.
func TestListAsksTheBreakersTogether(t *testing.T) {
	f := open(t)
	sent := new(single)
	f.deps.Redis.AddHook(sent)
	list := func() (held []string) {
		views, err := f.List(t.Context())
		ok(t, err)
		for _, v := range views {
			if v.Hold != nil {
				held = append(held, fmt.Sprint(v.Spec.ID, " ", v.Hold.Cause, " ", v.Hold.Reason, " ", v.Hold.Since.UnixMilli(), " ", v.Hold.EndsByItself))
			}
		}
		return held
	}
	for _, id := range []string{"1", "2", "3", "4", "5"} {
		f.create(id, campaign.Running)
		f.load(id, audienceOf(1), LoadOptions{Format: audience.CSV})
	}
	f.create("draft")
	for _, id := range []string{"3", "draft"} {
		ok(t, f.rdb.HSet(t.Context(), "{campaign:"+id+"}:breaker", "round", 1, "hold", "id 7 2 9 unanswered no answers").Err())
	}
	equal(t, "held", fmt.Sprint(list()), "[3 no_answers no answers 7 true]")
	equal(t, "breakers asked one by one", sent.scripts, 0)

	// A breaker's key of another type concerns its own campaign alone.
	ok(t, f.rdb.Set(t.Context(), "{campaign:4}:breaker", "x", 0).Err())
	equal(t, "held", fmt.Sprint(list()), "[3 no_answers no answers 7 true]")
	views, err := f.List(t.Context())
	ok(t, err)
	for _, v := range views {
		if broken := v.Spec.ID == "4"; broken != (v.Err != nil) {
			t.Errorf("campaign %s: %v", v.Spec.ID, v.Err)
		}
	}
	mentions(t, f.show("4").Err, "look at breaker of campaign:4", "holds a string, want a hash: rename or delete it")
}

func TestViewAsJSON(t *testing.T) {
	at := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	for name, c := range map[string]struct {
		view View
		want string // its JSON begins or ends with it
	}{
		"whole": {
			View{Spec: campaign.Spec{ID: "42", State: campaign.Running, Message: []byte(plainMessage), OnAmbiguous: campaign.Resend, Weight: 1, StartedAt: at}},
			`{"id":"42","state":"running","onAmbiguous":"resend","weight":1,"startedAt":"2026-01-02T03:04:05Z","message":{"notification":{"title":"Hello"}},"books":{`,
		},
		"options": {
			View{Spec: campaign.Spec{ID: "42", Weight: 2, Priority: 9, Rate: 0.5, Deadline: at.Add(time.Hour)}, Books: campaign.Books{Deadline: at}},
			`"weight":2,"priority":9,"rate":0.5,"deadline":"2026-01-02T03:04:05Z",`,
		},
		"ambiguous outcomes": {
			View{Spec: campaign.Spec{OnAmbiguous: campaign.Resend}, Books: campaign.Books{Resent: 5, Lost: 2, Unknown: 1}},
			`"ambiguous":{"unanswered":6,"resent":5,"lost":2,"possibleDuplicates":7,"unknown":1}`,
		},
		"ambiguous outcomes that are reported": {
			View{Spec: campaign.Spec{OnAmbiguous: campaign.Report}, Books: campaign.Books{Lost: 2, Unknown: 3}},
			`"ambiguous":{"unanswered":3,"resent":0,"lost":2,"possibleDuplicates":0,"unknown":3}`,
		},
		"a message that is no JSON": {View{Spec: campaign.Spec{Message: []byte("{")}}, `"message":"{","books":{`},
		"no message":                {View{Spec: campaign.Spec{ID: "7"}}, `{"id":"7","state":"","books":{`},
		"broken":                    {View{Err: errors.New("field state is missing")}, `{"id":"","state":"broken","reason":"field state is missing",`},
	} {
		text, err := json.Marshal(c.view)
		ok(t, err)
		if !strings.Contains(string(text), c.want) {
			t.Errorf("%s: got %s, want %s", name, text, c.want)
		}
	}
}

func TestWatchEndsWithTheCampaign(t *testing.T) {
	f := open(t)
	f.create("42", campaign.Running)
	var states []campaign.State
	err := f.Watch(t.Context(), "42", time.Millisecond, nil, func(p Progress) bool {
		states = append(states, p.State)
		ok(t, f.deps.Campaigns.Move(t.Context(), "42", campaign.Cancelled, ""))
		return true
	})
	ok(t, err)
	equal(t, "states", fmt.Sprint(states), "[running cancelled]")
}

func TestWatchEndsWhenNobodyLooks(t *testing.T) {
	f := open(t)
	f.create("42", campaign.Running)
	looks := 0
	ok(t, f.Watch(t.Context(), "42", time.Millisecond, nil, func(Progress) bool { looks++; return looks < 3 }))
	equal(t, "looks", looks, 3)

	err := f.Watch(t.Context(), "none", time.Millisecond, nil, func(Progress) bool { return true })
	if !errors.Is(err, campaign.ErrNotFound) {
		t.Errorf("of a campaign that is not there: %v", err)
	}
	ok(t, f.rdb.HSet(t.Context(), "{campaign:42}:spec", "state", "flying").Err())
	ok(t, f.Watch(t.Context(), "42", time.Millisecond, nil, func(p Progress) bool {
		equal(t, "state", p.State, Broken)
		mentions(t, errors.New(p.Reason), "field state")
		return false
	}))
}

// The losses of an ended campaign are listed, unless its reason names them.
func TestLossesAfterTheEnd(t *testing.T) {
	books := campaign.Books{Loaded: 3, Sent: 2, Missing: 1}
	equal(t, "without a reason", len(View{Spec: campaign.Spec{State: campaign.Completed}, Books: books}.Losses()), 1)
	equal(t, "with a reason", len(View{Spec: campaign.Spec{State: campaign.Completed, Reason: "1 missing"}, Books: books}.Losses()), 0)
	equal(t, "while it runs", len(View{Spec: campaign.Spec{State: campaign.Running, Reason: "x"}, Books: books}.Losses()), 1)
}
