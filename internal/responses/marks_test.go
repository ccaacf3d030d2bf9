package responses_test

import (
	"testing"
	"time"

	"github.com/alicebob/miniredis/v2"
	"github.com/redis/go-redis/v9"

	"fanfare/internal/keys"
	"fanfare/internal/responses"
	"fanfare/test/servers"
)

// The gap that a removal left which was cut off is no letter: no one sees it, or counts it.
func TestGapsAreNoLetters(t *testing.T) {
	l := openLetters(t, onMiniredis(t), responses.DeadLetterOptions{})
	all := failed("a", "INTERNAL", 2)
	l.add(all[0])
	push(t, l.rdb, l.key(), "\x00removed")
	l.add(all[1])
	wantList(t, "letters", l.ids(responses.Filter{}), idsOf(all))
	if got := l.count().Total; got != 2 {
		t.Errorf("%d are counted, want 2", got)
	}
}

// takeAll takes all letters, and lets their lease run out where it is to.
func (l letters) takeAll(dies bool) (responses.Batch, error) {
	l.Helper()
	var all []responses.DeadLetter
	for letter, err := range l.List(l.Context(), responses.Filter{}) {
		if err != nil {
			l.Fatal(err)
		}
		all = append(all, letter)
	}
	b, err := l.Take(l.Context(), "", all...)
	batches := l.list.Key(keys.SuffixDead + ":batches")
	if dies {
		for _, batch := range l.rdb.ZRange(l.Context(), batches, 0, -1).Val() {
			l.rdb.ZAddXX(l.Context(), batches, redis.Z{Score: 1, Member: batch})
		}
	}
	return b, err
}

// A responder that trims puts back what a replay has taken that has died; and a replay ends before its lease does.
func TestTrimPutsBack(t *testing.T) {
	l := openLetters(t, onMiniredis(t), responses.DeadLetterOptions{})
	l.add(failed("a", "INTERNAL", 2)...)
	b, err := l.takeAll(true)
	if left := time.Until(b.Until); err != nil || left <= 0 || left >= time.Minute {
		t.Errorf("a replay has %s of a lease of a minute, %v", left, err)
	}
	l.trim()
	if n := len(elements(t, l.rdb, l.key())); n != 2 {
		t.Errorf("%d letters are back, want 2", n)
	}
}

// A take whose reply was lost gives the letters back at once.
func TestATakeThatIsNotHeardIsUndone(t *testing.T) {
	addr := miniredis.RunT(t).Addr()
	proxy := servers.NewProxy(t, addr)
	sound := openLetters(t, single(t, "", addr), responses.DeadLetterOptions{})
	lossy := redis.NewClient(&redis.Options{Addr: proxy.Addr(), MaxRetries: -1})
	t.Cleanup(func() { _ = lossy.Close() })
	names := keys.Default()
	names.Responses = sound.list.Plain()
	dead, err := responses.NewDeadLetters(lossy, names, responses.DeadLetterOptions{})
	if err != nil {
		t.Fatal(err)
	}
	sound.add(failed("a", "INTERNAL", 2)...)
	sound.ids(responses.Filter{}) // the scripts are known from here on
	if _, err := sound.takeAll(true); err != nil {
		t.Fatal(err)
	}
	sound.trim()
	l := letters{T: t, DeadLetters: dead, rdb: sound.rdb, list: sound.list}
	proxy.Lose(func(command []string) bool { return servers.Scripts(command) && len(command) > 10 }, servers.Nth(1))
	if _, err := l.takeAll(false); err == nil {
		t.Fatal("the take was heard")
	}
	if n := len(elements(t, sound.rdb, sound.key())); n != 2 {
		t.Errorf("%d letters are back, want 2", n)
	}
}
