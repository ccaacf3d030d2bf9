package dispatcher

import (
	"errors"
	"strings"
	"testing"

	"fanfare/internal/campaign"
	"fanfare/internal/queue"
)

// An application adds recipients to a campaign that is completed: the next Job does not take it for drained.
func TestJobServesLateRecipients(t *testing.T) {
	w := newWorld(t)
	all := audience(30)
	w.campaign(campaign.Spec{ID: "42"}, all[:10]...)
	if err := w.job("42"); err != nil {
		t.Fatal(err)
	}
	must(w.redis.RPush("campaign:42", all[10:]...))(t)
	if err := w.job("42"); err != nil {
		t.Fatal(err)
	}
	w.sender.each(t, 30, 1)
}

func TestJobDoesNotWaitForSomebodyToMendIt(t *testing.T) {
	w := newWorld(t)
	if _, refused := errors.AsType[*queue.IDError](w.job("a}b")); !refused {
		t.Error("an id that names no campaign is not refused")
	}
	w.redis.Set("{campaign:spec}:spec", "a string")
	w.campaign(campaign.Spec{ID: "list"})
	w.redis.Set("campaign:list", "a string")
	for _, id := range []string{"spec", "list"} {
		err := w.job(id)
		if _, mistyped := errors.AsType[*queue.TypeError](err); !mistyped || !strings.Contains(err.Error(), id) {
			t.Errorf("wrong type of the %s: %v", id, err)
		}
	}
}

// Whoever gave the wrong password, or too few permissions, has to be told.
func TestJobEndsWhereItIsDenied(t *testing.T) {
	for _, reply := range []string{"NOAUTH Authentication required.", "NOPERM User default has no permissions to run the 'evalsha' command"} {
		w := newWorld(t)
		w.campaign(campaign.Spec{ID: "42"}, audience(1)...)
		w.redis.SetError(reply)
		if err := w.job("42"); !queue.Denied(err) {
			t.Errorf("%s: %v", reply, err)
		}
	}
}

func TestJobEnds(t *testing.T) {
	w := newWorld(t)
	if err := w.job("missing"); !errors.Is(err, campaign.ErrNotFound) {
		t.Errorf("missing: %v", err)
	}
	w.campaign(campaign.Spec{ID: "empty"})
	if err := w.job("empty"); err != nil {
		t.Errorf("empty: %v", err)
	}
	w.redis.HSet("{campaign:broken}:spec", "state", "running", "message", `{"title":1}`)
	if err := w.job("broken"); err == nil || !strings.Contains(err.Error(), "title") {
		t.Errorf("broken: %v", err)
	}
}
