package responses_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"fanfare/internal/keys"
	"fanfare/internal/notification"
	"fanfare/internal/redisx"
	"fanfare/internal/responses"
)

// answering gives each script with so many keys one reply, and the others an empty list.
type answering struct {
	keys  int
	reply any
}

func (answering) DialHook(next redis.DialHook) redis.DialHook { return next }
func (answering) ProcessPipelineHook(next redis.ProcessPipelineHook) redis.ProcessPipelineHook {
	return next
}
func (a *answering) ProcessHook(redis.ProcessHook) redis.ProcessHook {
	return func(_ context.Context, cmd redis.Cmder) error {
		if script, ok := cmd.(*redis.Cmd); ok {
			if script.SetVal([]any{}); script.Args()[2] == a.keys {
				script.SetVal(a.reply)
			}
		}
		return nil
	}
}

// A reply that no version of the scripts gives is an error.
func TestForeignRepliesAreErrors(t *testing.T) {
	t.Parallel()
	rdb := redis.NewClient(&redis.Options{Addr: "127.0.0.1:1"}) // never dialed
	defer rdb.Close()
	a := &answering{keys: 2}
	rdb.AddHook(a)
	dead, err := responses.NewDeadLetters(rdb, keys.Default(), responses.DeadLetterOptions{})
	if err != nil {
		t.Fatal(err)
	}
	for name, reply := range map[string][]any{
		"too short":  {int64(1), int64(0), int64(0)},
		"too long":   {int64(1), int64(0), int64(0), []any{}, int64(1)},
		"no time":    {"1", int64(0), int64(0), []any{}},
		"no place":   {int64(1), "0", int64(0), []any{}},
		"no removed": {int64(1), int64(0), "0", []any{}},
		"no letters": {int64(1), int64(0), int64(0), "x"},
		"no text":    {int64(1), int64(1), int64(0), []any{int64(1)}},
	} {
		a.reply = reply
		for letter, err := range dead.List(t.Context(), responses.Filter{}) {
			if !errors.Is(err, redisx.ErrReply) {
				t.Errorf("%s: letter %+v, %v", name, letter, err)
			}
		}
		if _, err := dead.Count(t.Context(), responses.Filter{}); !errors.Is(err, redisx.ErrReply) {
			t.Errorf("%s: counted, %v", name, err)
		}
	}
	a.keys = 5
	for taken, want := range map[int64]error{0: redisx.ErrReply, 1: nil, 2: redisx.ErrReply} {
		a.reply = []any{taken}
		if batch, err := dead.Take(t.Context(), "", responses.DeadLetter{ID: "a"}); !errors.Is(err, want) || len(batch.Letters) == 1 != (want == nil) {
			t.Errorf("letter %d of one is taken: %+v, %v", taken, batch, err)
		}
	}
}

// A letter without a text of FCM has the code as its reason. One without an id or a time is none.
func TestLettersHaveAReason(t *testing.T) {
	t.Parallel()
	at := time.UnixMilli(1_800_000_000_000).UTC()
	for _, c := range []struct{ text, code, want string }{{"gone", "UNREGISTERED", "gone"}, {"", "UNREGISTERED", "UNREGISTERED"}} {
		l := responses.FailedLetter(notification.Result{ResultID: "r", UserID: "u", At: at, Error: c.text, ErrorCode: c.code}, at)
		if l.Reason != c.want || !l.At.Equal(at) || l.Kind != responses.KindRecipient {
			t.Errorf("%+v, want the reason %q", l, c.want)
		}
	}
	for _, stored := range []string{`{"id":"a"}`, `{"at":"2026-01-02T03:04:05Z"}`, `{"id":"a","at":"0001-01-01T00:00:00Z"}`} {
		if l, err := responses.DecodeDeadLetter([]byte(stored)); err == nil {
			t.Errorf("%s is read as %+v", stored, l)
		}
	}
	for _, c := range []struct {
		letters int
		age     time.Duration
		ok      bool
	}{{0, 0, true}, {1, time.Second, true}, {-1, time.Second, false}, {1, time.Second - 1, false}} {
		if _, err := responses.NewDeadLetters(nil, keys.Default(), responses.DeadLetterOptions{MaxLetters: c.letters, MaxAge: c.age}); (err == nil) != c.ok {
			t.Errorf("limits of %d and %s: %v", c.letters, c.age, err)
		}
	}
}
