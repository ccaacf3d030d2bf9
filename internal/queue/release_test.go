package queue_test

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/alicebob/miniredis/v2"

	"fanfare/internal/keys"
	"fanfare/internal/queue"
	"fanfare/test/backends"
)

func givesBackInOrder(t *testing.T, b *backends.Backend) {
	f := open(t, b, queue.Options{})
	all := numbered("u", 300)
	f.push(all...)
	first, second, third := f.claim(150), f.claim(20), f.claim(30)
	f.settle(sent(first.Claim, 2, ""), sent(second.Claim, 1, ""))

	wantEqual(t, "given back", f.giveBack(second.Claim, third.Claim, first.Claim, first.Claim), 198)
	wantEqual(t, "given back again", f.giveBack(second.Claim, third.Claim, first.Claim), 0)
	wantEqual(t, "reaped", f.counts().Reaped, 0)
	rest := f.claim(1000)
	wantList(t, "in the old order", raws(rest), slices.Concat(all[:1], all[2:150], all[151:]))
	e := rest.Elements[0]
	wantEqual(t, "id", e.ID, first.Elements[0].ID)
	wantEqual(t, "lost", e.Lost, 0)

	f.giveBack(rest.Claim)
	head := f.claim(1)
	f.giveBack(f.claim(2).Claim)
	f.giveBack(head.Claim)
	wantList(t, "what came back last is first", raws(f.claim(4)), slices.Concat(all[:1], all[2:5]))
}

func reapsExpired(t *testing.T, b *backends.Backend) {
	f := open(t, b, queue.Options{})
	f.push(numbered("u", 9)...)
	all := numbered("u", 9)
	first, alive, third := f.claim(3), f.claim(2), f.claim(2)
	f.settle(queue.Settlement{Claim: first.Claim, Pos: 1, Status: "sent"})
	wantEqual(t, "reaped while all live", f.reap(), 0)
	f.expire(first.Claim, third.Claim)
	wantEqual(t, "reaped", f.reap(), 4)
	wantEqual(t, "reaped again", f.reap(), 0)
	wantEqual(t, "counted", f.counts().Reaped, 4)

	again := f.claim(9)
	wantList(t, "in the old order", raws(again), slices.Concat(all[1:3], all[5:9]))
	for i, e := range again.Elements {
		wantEqual(t, "lost of "+string(e.Raw), e.Lost, map[bool]int{true: 1, false: 0}[i < 4])
	}
	f.expire(again.Claim)
	f.reap()
	twice := f.claim(1).Elements[0]
	wantEqual(t, "lost twice", twice.Lost, 2)
	wantEqual(t, "id", twice.ID, first.Elements[1].ID)
	wantEqual(t, "applied of the living", f.settle(endAll(alive)...), 2)
}

// givesBackInPieces checks the length of back before each script: one script ends a claim, and
// further ones up to about a millisecond's work.
func givesBackInPieces(t *testing.T, b *backends.Backend) {
	f := openOn(t, b.Lossy, b.Redis, queue.NewID(), queue.Options{})
	all := numbered("u", 3300)
	f.push(all...)
	var claims []string
	for _, n := range []int{600, 900, 300, 1000, 200, 100, 100, 100} {
		claims = append(claims, f.claim(n).Claim)
	}
	var back []int64
	b.Lose(t, func(int, []string) bool {
		back = append(back, f.rdb.LLen(t.Context(), f.list.Key(keys.SuffixBack)).Val())
		return false
	})
	wantEqual(t, "given back", f.giveBack(claims...), len(all))
	// A script that the node does not know yet is sent twice.
	wantEqual(t, "back before each script", fmt.Sprint(slices.Compact(back)), "[0 1500 2700]")
	wantList(t, "in the old order", raws(f.claim(len(all))), all)
}

// The server's clock alone ends this lease.
func reapsWhenTimeHasPassed(t *testing.T, b *backends.Backend) {
	f := open(t, b, queue.Options{Lease: 5 * time.Millisecond})
	f.push("a")
	f.claim(1)
	await(t, func() (bool, error) {
		n, err := f.Reap(t.Context())
		return n == 1, err
	})
	wantEqual(t, "back", f.counts().Back, 1)
}

func extends(t *testing.T, b *backends.Backend) {
	f := open(t, b, queue.Options{})
	f.push("a", "b", "c", "d")
	one, two, three := f.claim(1), f.claim(1), f.claim(1)
	f.expire(one.Claim, two.Claim, three.Claim)
	lost, err := f.Extend(t.Context(), one.Claim, two.Claim)
	if err != nil {
		t.Fatal(err)
	}
	wantList(t, "lost though all exist", lost, nil)
	wantEqual(t, "reaped, the one that was not extended", f.reap(), 1)

	f.settle(sent(two.Claim, 1, ""))
	lost, err = f.Extend(t.Context(), three.Claim, one.Claim, two.Claim, "never")
	if err != nil {
		t.Fatal(err)
	}
	wantList(t, "lost", lost, []string{three.Claim, two.Claim, "never"})
	wantEqual(t, "leases", f.rdb.ZCard(t.Context(), f.list.Key(keys.SuffixLeases)).Val(), 1)
	wantEqual(t, "in flight", f.counts().InFlight, 1)
}

// A worker keeps a lease that it extends right after a reaper has found it expired.
func reapsNothingThatIsExtended(t *testing.T, b *backends.Backend) {
	f := openOn(t, b.Lossy, b.Redis, queue.NewID(), queue.Options{Lease: time.Minute})
	sound := openOn(t, b.Redis, b.Redis, f.id, queue.Options{Lease: time.Minute})
	f.push("a", "b")
	lease := f.claim(2)
	f.expire(lease.Claim)
	extended := false
	b.Lose(t, func(_ int, script []string) bool {
		if releases := script[2] == "4"; releases { // leases, back, counts and the one lease
			lost, err := sound.Extend(t.Context(), lease.Claim)
			extended = err == nil && len(lost) == 0
		}
		return false
	})
	wantEqual(t, "reaped", f.reap(), 0)
	wantEqual(t, "extended between", extended, true)
	wantEqual(t, "applied by the worker", f.settle(endAll(lease)...), 2)
}

// An extended lease stays, even if all other leases of the script are empty.
func reapsNothingBesideAnEmptyLease(t *testing.T, b *backends.Backend) {
	f := openOn(t, b.Lossy, b.Redis, queue.NewID(), queue.Options{Lease: time.Minute})
	sound := openOn(t, b.Redis, b.Redis, f.id, queue.Options{Lease: time.Minute})
	f.push("a", "b", "c")
	empty, lease := f.claim(1), f.claim(2)
	if err := f.rdb.Del(t.Context(), f.list.Lease(empty.Claim)).Err(); err != nil {
		t.Fatal(err)
	}
	f.expire(empty.Claim, lease.Claim)
	extended := false
	b.Lose(t, func(_ int, script []string) bool {
		if releases := script[2] == "5"; releases { // leases, back, counts and the two leases
			lost, err := sound.Extend(t.Context(), lease.Claim)
			extended = err == nil && len(lost) == 0
		}
		return false
	})
	wantEqual(t, "reaped", f.reap(), 0)
	wantEqual(t, "extended between", extended, true)
	wantEqual(t, "leases", f.rdb.ZCard(t.Context(), f.list.Key(keys.SuffixLeases)).Val(), 1)
	wantEqual(t, "applied by the worker", f.settle(endAll(lease)...), 2)
}

// A lease ends in its last millisecond and not before. It lives on if it was extended after a
// reaper found it.
func TestReapsToTheMillisecond(t *testing.T) {
	server := miniredis.RunT(t)
	b := backends.Open(t, "miniredis", server.Addr())
	now := time.UnixMilli(1_900_000_000_000)
	for extended, reaped := range map[time.Duration]int{0: 2, time.Millisecond: 0} {
		server.SetTime(now)
		f := openOn(t, b.Lossy, b.Redis, queue.NewID(), queue.Options{Lease: time.Millisecond})
		sound := openOn(t, b.Redis, b.Redis, f.id, queue.Options{Lease: time.Millisecond})
		f.push("a", "b")
		l := f.claim(2)
		server.SetTime(now.Add(time.Millisecond))
		b.Lose(t, func(_ int, script []string) bool {
			if script[2] == "4" && extended > 0 { // leases, back, counts and the one lease: it releases
				if lost, err := sound.Extend(t.Context(), l.Claim); err != nil || len(lost) > 0 {
					t.Errorf("extend: lost %v, error %v", lost, err)
				}
			}
			return false
		})
		wantEqual(t, "reaped of a lease that ends in "+extended.String(), f.reap(), reaped)
		b.Lose(t, nil)
	}
}

// A script stops once it has moved exactly enough elements.
func TestGivesBackExactlyEnough(t *testing.T) {
	b := backends.OpenMiniredis(t)
	f := openOn(t, b.Lossy, b.Redis, queue.NewID(), queue.Options{})
	f.push(numbered("u", 1007)...)
	var claims []string
	for _, n := range []int{7, 500, 500} {
		claims = append(claims, f.claim(n).Claim)
	}
	var back []int64
	b.Lose(t, func(int, []string) bool {
		back = append(back, f.rdb.LLen(t.Context(), f.list.Key(keys.SuffixBack)).Val())
		return false
	})
	wantEqual(t, "given back", f.giveBack(claims...), 1007)
	wantEqual(t, "back before each script", fmt.Sprint(slices.Compact(back)), "[0 1000]")
}
