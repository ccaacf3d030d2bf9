package pacing

import (
	"slices"
	"time"
)

const (
	// shareTime is how much of the coming time one lease takes. A replica that has few beside it takes more, up to aloneTime:
	// it wants to be leadTime ahead, so that a moment without CPU or without Redis costs nothing. Where Redis is so slow that the
	// next share would come late, shares are longer still.
	shareTime, aloneTime, maxShareTime = 20 * time.Millisecond, 50 * time.Millisecond, 250 * time.Millisecond
	leadTime                           = 100 * time.Millisecond
	// shortest is the shortest time from which it is judged how fast pushes go: a burst tells nothing.
	shortest = 10 * time.Millisecond
	// horizon bounds how far ahead anything is leased.
	horizon = time.Second
	// lateQuota is how long after its instant a permit may still be spent; what is older goes back. A permit of a campaign's
	// own rate lives longer, for it waits until the project's quota has come.
	lateQuota, lateCap = 100 * time.Millisecond, 2 * time.Second
	// slowReply bounds for how long a reply may have been under way; what took longer is counted from that on.
	slowReply = time.Second
)

// share is a run of leased permits: number i may be spent from `from` + i/n of span on.
type permitRun struct {
	from    time.Time
	span    time.Duration
	n, used int
}

func (s permitRun) at(i int) time.Time {
	return s.from.Add(s.span * time.Duration(i) / time.Duration(s.n))
}

// purse holds what this replica has leased from one cursor: the share that it spends, and the next one. It is guarded by
// the Governor's lock.
type permitBuffer struct {
	keys []string
	pace Settings
	gap  float64       // interval at full rate, in µs
	late time.Duration // how long a permit lives

	shares  []permitRun
	era     int64         // of the shares
	voids   int           // so far
	unspent time.Duration // what of them went unspent, to be given back with the next ask

	asking bool
	peek   bool          // ask even if nothing is wanted
	again  time.Time     // ask not before
	failed int           // asks in a row
	trip   time.Duration // how long an ask takes, smoothed
	swing  time.Duration // by how much that differs from one ask to the next, smoothed
	lead   time.Duration // how far ahead the last share was: what the others hold, and what we do
	asked  time.Time     // last
	came   int           // pushes that came since then
	spent  int           // and those that went
}

// ready tells whether a permit may be spent now; permits that are too late go first.
func (p *permitBuffer) ready(now time.Time) bool {
	return len(p.shares) > 0 && !p.next().After(now)
}

// next is when the next permit may be spent. There must be one.
func (p *permitBuffer) next() time.Time { return p.shares[0].at(p.shares[0].used) }

// spend takes the permit that is ready.
func (p *permitBuffer) spend() {
	p.spent++
	p.use()
}

func (p *permitBuffer) use() {
	p.shares[0].used++
	if p.shares[0].used == p.shares[0].n {
		p.shares = slices.Delete(p.shares, 0, 1)
	}
}

// putBack returns a permit that was spent for nobody. It lives as long as a new one.
func (p *permitBuffer) putBack(now time.Time) {
	p.spent--
	p.shares = slices.Insert(p.shares, 0, permitRun{from: now, span: time.Duration(p.gap * float64(time.Microsecond)), n: 1})
}

// expire drops what is too late, and returns how many permits that were.
func (p *permitBuffer) expire(now time.Time) int {
	dropped := 0
	for len(p.shares) > 0 && now.Sub(p.next()) > p.late {
		p.unspent += p.shares[0].span / time.Duration(p.shares[0].n)
		p.use()
		dropped++
	}
	return dropped
}

// void drops everything, and returns how many permits that were: what was leased in another era is not given back.
func (p *permitBuffer) void() int {
	dropped := p.held()
	p.shares, p.unspent = nil, 0
	p.voids++
	return dropped
}

func (p *permitBuffer) held() int {
	n := 0
	for _, s := range p.shares {
		n += s.n - s.used
	}
	return n
}

// due counts the permits that may be spent by an instant, up to a bound.
func (p *permitBuffer) due(by time.Time, bound int) int {
	n := 0
	for _, s := range p.shares {
		for i := s.used; i < s.n && n < bound && !s.at(i).After(by); i++ {
			n++
		}
	}
	return n
}

// wants is how many more permits are needed: by the pushes that wait when those in hand are spent, and by those that will have
// come by then. For the latter there are two guesses, and the higher one counts: whoever is let go is replaced as it was since
// the last ask; and the next share lasts for as long as it should if pushes go as they did since then. Nothing is wanted while a
// whole share still lies ahead, nor while nobody waits and half of what will go is in hand: many small asks cost more than few.
func (p *permitBuffer) wants(now time.Time, waiting int) int {
	if last := len(p.shares) - 1; last >= 0 && p.shares[last].from.After(now) {
		return 0
	}
	held, replaced, coming := p.held(), 0, 0
	if p.spent > 0 {
		replaced = held * min(p.came, p.spent) / p.spent
		coming = int(float64(p.spent) * float64(p.shareTime()) / float64(max(now.Sub(p.asked), shortest)))
	}
	if waiting == 0 && 2*held > coming {
		return 0
	}
	return max(0, waiting+max(replaced, coming)-held)
}

// shareTime is how long the next share is to be.
func (p *permitBuffer) shareTime() time.Duration {
	ahead := min(max(shareTime, leadTime-p.lead), aloneTime)
	return min(max(ahead, 2*(p.trip+2*p.swing)), maxShareTime)
}

// timed notes how long an ask took.
func (p *permitBuffer) timed(took time.Duration) {
	took = min(took, slowReply)
	p.swing += ((took - p.trip).Abs() - p.swing) / 8
	p.trip += (took - p.trip) / 8
}

// add keeps what an answer leased. The instants are counted from the moment the answer came, so that a slow Redis moves
// permits and does not crowd them.
func (p *permitBuffer) add(a leaseReply, sent, came time.Time) {
	if came.Sub(sent) > slowReply {
		came = sent.Add(slowReply)
	}
	p.lead = micros(a.from - a.now)
	p.shares = append(p.shares, permitRun{from: came.Add(p.lead), span: micros(a.until - a.from), n: a.n})
}
