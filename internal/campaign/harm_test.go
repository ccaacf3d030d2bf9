package campaign_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"fanfare/internal/campaign"
	"fanfare/internal/keys"
	"fanfare/internal/redisx"
	"fanfare/test/backends"
	"fanfare/test/servers"
)

// lostRepliesDoNoHarm runs every operation while replies of scripts are lost. go-redis then runs
// these scripts again.
func lostRepliesDoNoHarm(t *testing.T, b *backends.Backend) {
	for every := 2; every <= 5; every++ {
		f := openOn(t, b.Lossy, b.Redis, eager)
		b.Lose(t, servers.EveryNth(every))
		for round := range 4 {
			id := fmt.Sprintf("{lossy}%d-%d", every, round)
			f.create(id, campaign.Draft)
			l, err := f.Load(t.Context(), id, false)
			f.ok(err)
			for range 3 {
				f.ok(l.Append(t.Context(), batch(5)))
			}
			f.ok(l.Close(t.Context()))
			f.move(id, campaign.Running, campaign.Paused, campaign.Running)
			wantEqual(t, "running", len(f.discover().Running), 1)
			f.drain(id)
			wantEqual(t, "complete", f.complete(id), true)
			books := f.books(id)
			wantEqual(t, "sent", books.Sent, 15)
			wantEqual(t, "balanced", books.IsBalanced(), true)
			f.ok(f.Delete(t.Context(), id))
			f.wantNothingOf(b, id)
		}
		if _, lost := b.CountScripts(); lost < 10 {
			t.Errorf("%d replies were lost", lost)
		}
	}
}

func wrongTypesAreNamed(t *testing.T, b *backends.Backend) {
	f := open(t, b)
	f.into("1", campaign.Running)
	spec := f.key("1", keys.SuffixSpec)
	f.ok(f.rdb.Set(t.Context(), f.list("1").Plain(), "x", 0).Err())
	f.ok(f.rdb.Set(t.Context(), f.key("2", keys.SuffixSpec), "x", 0).Err())
	named := func(what string, err error, key string) {
		t.Helper()
		if wrong, ok := errors.AsType[*redisx.TypeError](err); !ok || wrong.Key != key || wrong.Holds != "string" {
			t.Errorf("%s: %v, want %s to be named", what, err, key)
		}
	}
	before, err := f.rdb.HGetAll(t.Context(), spec).Result()
	f.ok(err)
	_, _, err = f.Complete(t.Context(), "1")
	named("complete", err, f.list("1").Plain())
	_, err = f.Load(t.Context(), "1", true)
	named("load", err, f.list("1").Plain())
	_, err = f.Books(t.Context(), "1")
	named("books", err, f.list("1").Plain())
	named("create", f.Create(t.Context(), campaign.Spec{ID: "2", Message: message}), f.key("2", keys.SuffixSpec))
	named("move", f.Move(t.Context(), "2", campaign.Running, ""), f.key("2", keys.SuffixSpec))
	_, err = f.Get(t.Context(), "2")
	named("get", err, f.key("2", keys.SuffixSpec))
	after, err := f.rdb.HGetAll(t.Context(), spec).Result()
	f.ok(err)
	wantEqual(t, "spec", fmt.Sprint(after), fmt.Sprint(before))
	f.ok(f.Delete(t.Context(), "2"))
	f.wantNothingOf(b, "{campaign:2}")
}

// In a full Redis campaigns still change and end; only new audiences are refused.
func TestFullRedisMoves(t *testing.T) {
	b := backends.OpenRedis(t)
	f := open(t, b)
	for _, id := range []string{"done", "off"} {
		f.into(id, campaign.Running)
		f.push(id, 200)
	}
	f.drain("done")
	f.push("found", 200)
	f.hset(f.key("found", keys.SuffixSpec), "message", "{}", "state", "running")
	b.Fill(t)
	wantList(t, "running", idsOf(f.discover().Running), "done", "found", "off")
	_, err := f.Adopt(t.Context(), "found")
	f.ok(err)
	f.drain("found")
	wantEqual(t, "complete", f.complete("done"), true)
	f.move("off", campaign.Paused, campaign.Running, campaign.Paused, campaign.Cancelled)
	l, err := f.Load(t.Context(), "done", true)
	f.ok(err)
	if err := l.Append(t.Context(), batch(1)); err == nil || !strings.Contains(err.Error(), "OOM") {
		t.Errorf("load into a full Redis: %v, want OOM", err)
	}
	f.ok(f.Delete(t.Context(), "off"))
	f.wantNothingOf(b, "off")
}
