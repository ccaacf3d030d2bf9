package live

import (
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	tea "charm.land/bubbletea/v2"

	"fanfare/internal/campaign"
	"fanfare/internal/operator"
)

// What needs a person stands first, and what ended long ago is left out.
func TestOrder(t *testing.T) {
	t.Parallel()
	old := view("old", campaign.Completed, 0)
	old.Spec.FinishedAt = time.Now().Add(-time.Hour)
	p := sit(t, old, view("done", campaign.Completed, 0), view("draft", campaign.Draft, 0), view("low", campaign.Running, 1), view("high", campaign.Running, 2), view("paused", campaign.Paused, 0))
	var ids []string
	for _, r := range p.shown() {
		ids = append(ids, r.Spec.ID)
	}
	if want := []string{"paused", "high", "low", "draft", "done"}; !slices.Equal(ids, want) {
		t.Errorf("got %v, want %v", ids, want)
	}
	p.sees("5 campaigns, 1 needs a person", "> paused", "fanfare campaign resume paused", "1 dispatcher, 1 responder, 7 results not in SQL", "1,000 of 2,000", "10%")
}

// A pause says who paused it and how long ago, and so does a cancelled campaign.
func TestPauseNamesWhoAndWhen(t *testing.T) {
	t.Parallel()
	v := view("a", campaign.Paused, 0)
	v.Spec.Reason, v.Spec.PausedBy, v.Spec.PausedAt = "wrong link", "ann@ops", time.Now().Add(-12*time.Minute)
	p := sit(t, v)
	p.sees("Paused by ann@ops 12 min ago: wrong link")
	v.Spec.State, v.Spec.PausedBy = campaign.Cancelled, ""
	v.Spec.CancelledBy, v.Spec.FinishedAt = "bob@ops", time.Now().Add(-5*time.Minute)
	p = sit(t, v)
	p.sees("Cancelled by bob@ops 5 min ago: wrong link")
}

func TestSelection(t *testing.T) {
	t.Parallel()
	p := sit(t, view("a", campaign.Running, 0), view("b", campaign.Running, 0), view("c", campaign.Running, 0))
	for _, step := range []struct{ key, want string }{
		{"up", "a"}, {"j", "b"}, {"down", "c"}, {"down", "c"}, {"k", "b"}, {"g", "a"}, {"G", "c"}, {"up", "b"},
	} {
		p.press(step.key)
		if p.selected != step.want {
			t.Errorf("after %s: %s is selected, want %s", step.key, p.selected, step.want)
		}
	}
	// The selection follows its campaign, and moves on when that is gone.
	p.system.views = []operator.View{view("b", campaign.Paused, 0), view("c", campaign.Running, 0)}
	p.send(p.client.read("b")())
	if p.selected != "b" || p.position != 0 {
		t.Errorf("%s at %d is selected", p.selected, p.position)
	}
	p.press("enter")
	p.sees("b: paused", "progress", "950 waiting, 50 in flight")
	p.system.views = p.system.views[1:]
	p.send(p.client.read("b")())
	p.sees("The campaign was deleted.", "> running  c")
}

// Nothing is done before a yes, and the question names the effect in numbers.
func TestAsksBeforeItActs(t *testing.T) {
	t.Parallel()
	p := sit(t, view("a", campaign.Running, 3), view("b", campaign.Running, 5), view("c", campaign.Draft, 0))
	for _, step := range []struct {
		selected, key, answer string
		asked, said, did      string
	}{
		{"b", "p", "n", "950 recipients not sent to", "nothing was changed", ""},
		{"b", "p", "q", "50 recipients in flight will finish", "nothing was changed", ""},
		{"b", "p", "enter", "Pause campaign b?", "nothing was changed", ""},
		{"b", "p", "y", "Pause campaign b?", "campaign b is paused.", "pause b"},
		{"a", "+", "y", "served before all of a lower priority: 0 running campaigns", "The priority of campaign a is 4.", "priority a 4"},
		{"a", "-", "Y", "from 3 to 2?", "The priority of campaign a is 2.", "priority a 2"},
		{"a", "-", "esc", "1 running campaign, 1,000 recipients to go", "nothing was changed", ""},
		{"c", "-", "", "", "Its priority is 0 already", ""},
		{"c", "p", "", "", "fanfare campaign start c", ""},
	} {
		p.system.did = nil
		p.selected = step.selected
		p.model = p.follow()
		p.press(step.key)
		if len(p.system.did) > 0 {
			t.Fatalf("%+v was not asked", step)
		}
		if step.asked != "" {
			p.sees(step.asked, "y yes; any other key: no")
			p.press(step.answer)
		}
		p.sees(step.said)
		p.seesNot("any other key")
		if did := strings.Join(p.system.did, ", "); did != step.did {
			t.Errorf("%+v did %q", step, did)
		}
	}
}

// The question on a priority counts the running campaigns on both sides of it.
func TestPriorityCountsTheOthers(t *testing.T) {
	t.Parallel()
	p := sit(t, view("a", campaign.Running, 3), view("b", campaign.Running, 4), view("c", campaign.Running, 5), view("d", campaign.Running, 1), view("e", campaign.Draft, 9))
	p.selected = "a"
	p.model = p.follow()
	p.press("+")
	p.sees("lower priority: 1 running campaign, 1,000", "higher one: 1 running campaign, 1,000")
	p.press("n", "-")
	p.sees("lower priority: 1 running campaign, 1,000", "higher one: 2 running campaigns, 2,000")
}

// A second action waits for the end of the first.
func TestActsOnceAtATime(t *testing.T) {
	t.Parallel()
	p := sit(t, view("a", campaign.Running, 0))
	p.acting = true
	p.press("p")
	p.sees("The last action is still under way.")
	if p.question != nil {
		t.Error("it asks during an action")
	}
}

// What only Show knows is read of the selected campaign.
func TestReadsTheSelectedCampaign(t *testing.T) {
	t.Parallel()
	p := sit(t, view("a", campaign.Running, 0), view("b", campaign.Running, 0))
	p.system.held = map[string]string{"ios": "wrong certificate"}
	p.send(p.client.read("a")())
	p.sees("iOS is on hold: wrong certificate", "fanfare campaign resume a")
	p.press("down")
	p.seesNot("iOS is on hold")
}

func TestRates(t *testing.T) {
	t.Parallel()
	p := sit(t, view("a", campaign.Running, 0))
	at := p.snapshot.at
	for range 3 {
		at = at.Add(time.Second)
		p.client.now = func() time.Time { return at }
		p.system.views[0].Books.Sent += 10
		p.system.views[0].Books.Waiting -= 10
		p.send(p.client.read("a")())
	}
	p.sees(" 10/s  1m37s", "about 1m37s to go", "sending 10/s")
}

func TestResumes(t *testing.T) {
	t.Parallel()
	p := sit(t, view("a", campaign.Paused, 0))
	p.press("p")
	p.sees("Resume campaign a?", "1,000 recipients will be sent to")
	p.press("y")
	p.sees("campaign a is running.")
	if !slices.Equal(p.system.did, []string{"start a"}) {
		t.Errorf("did %v", p.system.did)
	}
	p.system.views = []operator.View{view("a", campaign.Cancelled, 0)}
	p.send(p.client.read("a")())
	p.press("p")
	p.sees("It is cancelled")
	p.press("+")
	p.sees("Its priority cannot change")
}

// An error of an action or of a reading is shown without secrets, and the last figures stay.
func TestErrors(t *testing.T) {
	t.Parallel()
	p := sit(t, view("a", campaign.Running, 0))
	p.press("p")
	p.system.err = errors.New("dial redis://user:hunter2@host\x1b[31m: refused")
	p.press("y")
	p.sees("Not done:", "explained a", "refused")
	p.now = p.snapshot.at.Add(90 * time.Second)
	p.send(p.client.read("a")())
	p.sees("The figures are 1m30s old", "refused", "> running  a")
	for _, secret := range []string{"hunter2", "\x1b"} {
		p.seesNot(secret)
	}
	p.system.err = nil
	p.send(p.client.read("a")())
	p.seesNot("figures are")

	first := sit(t)
	first.snapshot = nil
	first.system.err = errors.New("refused")
	first.send(first.client.read("")())
	first.sees("No figures yet: refused")
	first.press("p", "enter", "down", "?")
	first.sees("pause or resume it")
}

func TestFilter(t *testing.T) {
	t.Parallel()
	p := sit(t, view("spring", campaign.Running, 0), view("summer", campaign.Running, 0))
	p.press("/", "m", "q")
	p.sees("/mq", "0 campaigns", "No campaign contains mq")
	p.press("backspace", "enter")
	p.sees("> running  summer", "only m (esc: all)")
	p.seesNot("spring")
	p.press("esc")
	p.sees("spring")
	p.press("/")
	p.send(tea.PasteMsg{Content: "spr"})
	if p.selected != "spring" {
		t.Errorf("%q is selected", p.selected)
	}
	p.press("esc")
	p.sees("summer")
}

// One snapshot is read at a time. After an action another follows.
func TestReadsOneSnapshotAtATime(t *testing.T) {
	t.Parallel()
	p := sit(t, view("a", campaign.Running, 0))
	reading, command := p.refresh()
	if command == nil {
		t.Fatal("no snapshot is read")
	}
	if _, second := reading.refresh(); second != nil {
		t.Error("two snapshots are read at once")
	}
	acted, command := reading.Update(actedMsg{"done"})
	if command != nil {
		t.Error("two snapshots are read at once after an action")
	}
	if _, command = acted.Update(snapshotMsg{p.snapshot, nil}); command == nil {
		t.Error("the snapshot after an action is missing")
	}
}

func TestQuits(t *testing.T) {
	t.Parallel()
	p := sit(t, view("a", campaign.Running, 0))
	for _, key := range []tea.KeyPressMsg{{Text: "q", Code: 'q'}, {Code: 'c', Mod: tea.ModCtrl}} {
		_, command := p.Update(key)
		if command == nil {
			t.Fatalf("%s does not quit", key)
		}
		if _, quits := command().(tea.QuitMsg); !quits {
			t.Errorf("%s does not quit", key)
		}
	}
}
