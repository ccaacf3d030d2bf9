package breaker_test

import (
	"context"
	"testing"
	"time"

	"github.com/alicebob/miniredis/v2"
	"github.com/redis/go-redis/v9"

	"fanfare/internal/breaker"
	"fanfare/test/backends"
)

// beforeReply calls a function once, after Redis has run a script and before its client gets the
// reply.
type beforeReply struct{ do func() }

func (b *beforeReply) DialHook(next redis.DialHook) redis.DialHook { return next }

func (b *beforeReply) ProcessPipelineHook(next redis.ProcessPipelineHook) redis.ProcessPipelineHook {
	return next
}

func (b *beforeReply) ProcessHook(next redis.ProcessHook) redis.ProcessHook {
	return func(ctx context.Context, cmd redis.Cmder) error {
		err := next(ctx, cmd)
		if do := b.do; do != nil && err == nil {
			b.do = nil
			do()
		}
		return err
	}
}

// Redis loses a breaker, and a new canary begins. A reply from before arrives late, so the replica
// takes the old canary for passed. The places of the new one are given back all the same.
func TestALateReplyKeepsNoPlaces(t *testing.T) {
	server, hook := miniredis.RunT(t), &beforeReply{}
	sound, slow := backends.Connect(t, server.Addr()), backends.Connect(t, server.Addr())
	server.SetTime(time.Now())
	slow.AddHook(hook)
	f := openOn(t, slow, sound, "late", 1, options())
	one, two := f.replicas[0], f.join(sound, options())
	one.conclude(answer(one.admit("a", 10), "a", 10, breaker.Accepted))
	wantEqual(t, "passed", f.state().Canary.Passed, true)

	one.leap()
	var again breaker.Admission
	hook.do = func() {
		server.SetTime(time.Now().Add(time.Second)) // rounds are told apart by their millisecond
		f.ok(sound.Del(t.Context(), f.key()).Err())
		again = one.admit("b", 10)
	}
	one.conclude(breaker.Report{})
	wantEqual(t, "admitted to the new canary", again.N, 10)
	unsent := breaker.Report{Round: again.Round}
	unsent.EndClaim("b", 10)
	one.conclude(unsent)
	wantEqual(t, "given back", two.admit("c", 10).N, 10)
}

// Two replicas see the same answers, and the second one trips before the first one acts. Then the
// first one is not told to act.
func TestALateTripIsLost(t *testing.T) {
	addr, hook := miniredis.RunT(t).Addr(), &beforeReply{}
	sound, slow := backends.Connect(t, addr), backends.Connect(t, addr)
	slow.AddHook(hook)
	f := openOn(t, slow, sound, "late", 1, breaker.DefaultOptions())
	one, two := f.replicas[0], f.join(sound, breaker.DefaultOptions())
	first, second := one.admit("a", 40), two.admit("b", 40)
	var won breaker.Decision
	hook.do = func() { won = two.conclude(answer(second, "b", 40, breaker.BadMessage)) }
	lost := one.conclude(answer(first, "a", 40, breaker.BadMessage))
	if won.Trip == nil {
		t.Fatal("the second replica did not trip")
	}
	wantEqual(t, "the first one acts", lost.Trip != nil, false)
	wantEqual(t, "it knows of the trip", lost.Tripped, true)
}
