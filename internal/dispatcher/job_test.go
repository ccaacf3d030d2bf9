package dispatcher

import (
	"context"
	"errors"
	"strings"
	"testing"

	"fanfare/internal/campaign"
	"fanfare/internal/fcm"
	"fanfare/internal/keys"
	"fanfare/internal/redisx"
)

// An application adds recipients to a campaign that is completed: the next Job does not take it for
// drained.
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
	if _, refused := errors.AsType[*keys.IDError](w.job("a}b")); !refused {
		t.Error("an id that names no campaign is not refused")
	}
	w.redis.Set("{campaign:spec}:spec", "a string")
	w.campaign(campaign.Spec{ID: "list"})
	w.redis.Set("campaign:list", "a string")
	for _, id := range []string{"spec", "list"} {
		err := w.job(id)
		if _, mistyped := errors.AsType[*redisx.TypeError](err); !mistyped || !strings.Contains(err.Error(), id) {
			t.Errorf("wrong type of the %s: %v", id, err)
		}
	}
}

// Anyone who gave the wrong password, or too few permissions, has to be told.
func TestJobEndsWhereItIsDenied(t *testing.T) {
	for _, reply := range []string{"NOAUTH Authentication required.", "NOPERM User default has no permissions to run the 'evalsha' command"} {
		w := newWorld(t)
		w.campaign(campaign.Spec{ID: "42"}, audience(1)...)
		w.redis.SetError(reply)
		if err := w.job("42"); !redisx.IsDenied(err) {
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

// No one is left of an audience that someone deleted: the Job ends, and says that it has not served
// them.
func TestJobTellsOfRecipientsThatVanished(t *testing.T) {
	w := newWorld(t)
	w.options.Concurrency, w.options.Claim = 5, 5
	var log strings.Builder
	w.deps.Logger = daemonLog(&log)
	w.campaign(campaign.Spec{ID: "42"})
	load := must(w.deps.Campaigns.Load(t.Context(), "42", false))(t)
	var elements [][]byte
	for _, element := range audience(50) {
		elements = append(elements, []byte(element))
	}
	if err := errors.Join(load.Append(t.Context(), elements), load.Close(t.Context())); err != nil {
		t.Fatal(err)
	}
	w.sender.answer = func(ctx context.Context, token string) fcm.Answer {
		w.redis.Del("campaign:42")
		return accepted(ctx, token)
	}
	for range 2 { // a scheduler may start it again
		err := w.job("42")
		ended, told := errors.AsType[*EndedError](err)
		if !told || ended.State != campaign.Completed || !strings.Contains(ended.Reason, "of 50 recipients went missing in Redis") {
			t.Errorf("got %v, want how many are missing", err)
		}
	}
	if text := log.String(); strings.Count(text, "level=ERROR") != 1 || !strings.Contains(text, "missing=") {
		t.Errorf("the log says\n%s", text)
	}
}

// A Job whose audience was loaded in part says so when that part is drained.
func TestJobTellsOfAnInterruptedLoad(t *testing.T) {
	w := newWorld(t)
	w.campaign(campaign.Spec{ID: "42"})
	load := must(w.deps.Campaigns.Load(t.Context(), "42", false))(t)
	err := errors.Join(load.Append(t.Context(), [][]byte{[]byte(audience(1)[0])}), load.Abandon(t.Context()))
	if err != nil {
		t.Fatal(err)
	}
	ended, told := errors.AsType[*EndedError](w.job("42"))
	if !told || ended.State != campaign.Completed {
		t.Errorf("got %v, want the Job to tell of the load", ended)
	}
}
