package pacing

import (
	"slices"
	"time"
)

const (
	// shareTime is how much of the coming time one lease takes. A replica with few others takes up
	// to aloneTime. It aims to be leadTime ahead, so a short lack of CPU or of Redis costs nothing.
	// Shares are longer still, up to maxShareTime, where a slow Redis would deliver the next one
	// late.
	shareTime, aloneTime, maxShareTime = 20 * time.Millisecond, 50 * time.Millisecond, 250 * time.Millisecond
	leadTime                           = 100 * time.Millisecond
	// minMeasureInterval is the least time from which the buffer estimates the rate of pushes. A
	// shorter one sees bursts.
	minMeasureInterval = 10 * time.Millisecond
	// horizon bounds how far ahead a share may begin.
	horizon = time.Second
	// quotaPermitTTL is how long after its instant a permit is still valid. The next lease gives
	// older ones back. A permit of a campaign's own rate is valid for capPermitTTL, because it
	// waits for the project's quota.
	quotaPermitTTL, capPermitTTL = 100 * time.Millisecond, 2 * time.Second
	// maxReplyDelay bounds the time that a reply may have taken. The permits of a slower one count
	// from that bound on.
	maxReplyDelay = time.Second
)

// permitRun is a run of leased permits. Permit i may be spent from `from` + i/n of span on.
type permitRun struct {
	from    time.Time
	span    time.Duration
	n, used int
}

func (s permitRun) at(i int) time.Time {
	return s.from.Add(s.span * time.Duration(i) / time.Duration(s.n))
}

// permitBuffer holds what this replica has leased from one cursor: the share in use and the next
// one. The Governor's lock guards it.
type permitBuffer struct {
	keys     []string
	pace     Settings
	interval float64       // interval at full rate, in µs
	ttl      time.Duration // how long a permit is valid

	shares  []permitRun
	era     int64         // the era of the shares
	voids   int           // how often the shares became void
	unspent time.Duration // unspent time, which the next lease request gives back

	asking   bool
	peek     bool          // ask for the state even if no permits are needed
	askAfter time.Time     // earliest time of the next request
	failures int           // failed requests in a row
	srtt     time.Duration // smoothed round-trip time of a request (RFC 6298)
	rttvar   time.Duration // its smoothed deviation (RFC 6298)
	lead     time.Duration // how far ahead the last share began
	lastAsk  time.Time     // time of the last request
	arrived  int           // pushes that arrived since the last request
	spent    int           // pushes that got a permit since then
}

// isReady reports whether a permit may be spent now. Call expire first.
func (p *permitBuffer) isReady(now time.Time) bool {
	return len(p.shares) > 0 && !p.nextAt().After(now)
}

// nextAt returns when the next permit may be spent. There must be one.
func (p *permitBuffer) nextAt() time.Time { return p.shares[0].at(p.shares[0].used) }

// spend uses the permit that is ready.
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

// putBack returns a permit whose push does not go. It is valid as long as a new one.
func (p *permitBuffer) putBack(now time.Time) {
	p.spent--
	p.shares = slices.Insert(p.shares, 0, permitRun{from: now, span: time.Duration(p.interval * float64(time.Microsecond)), n: 1})
}

// expire drops permits that are too old. It returns how many.
func (p *permitBuffer) expire(now time.Time) int {
	dropped := 0
	for len(p.shares) > 0 && now.Sub(p.nextAt()) > p.ttl {
		p.unspent += p.shares[0].span / time.Duration(p.shares[0].n)
		p.use()
		dropped++
	}
	return dropped
}

// dropAll drops all permits and returns how many. Permits of an earlier era are not given back.
func (p *permitBuffer) dropAll() int {
	dropped := p.available()
	p.shares, p.unspent = nil, 0
	p.voids++
	return dropped
}

func (p *permitBuffer) available() int {
	n := 0
	for _, s := range p.shares {
		n += s.n - s.used
	}
	return n
}

// countDue counts the permits that may be spent by an instant, up to a bound.
func (p *permitBuffer) countDue(by time.Time, bound int) int {
	n := 0
	for _, s := range p.shares {
		for i := s.used; i < s.n && n < bound && !s.at(i).After(by); i++ {
			n++
		}
	}
	return n
}

// countWanted returns how many more permits are needed. They are for the pushes that wait, and for
// those that will arrive before the permits in hand are spent.
//
// There are two estimates for the latter, and the higher one counts. The first assumes that each
// push is replaced at the ratio since the last request. The second makes the next share last its
// full time at the rate since then.
//
// It wants nothing while a whole share lies ahead. Nor does it while no push waits and half of the
// coming permits are in hand. Few large requests cost less than many small ones.
func (p *permitBuffer) countWanted(now time.Time, waiting int) int {
	if last := len(p.shares) - 1; last >= 0 && p.shares[last].from.After(now) {
		return 0
	}
	held, replaced, coming := p.available(), 0, 0
	if p.spent > 0 {
		replaced = held * min(p.arrived, p.spent) / p.spent
		coming = int(float64(p.spent) * float64(p.shareTime()) / float64(max(now.Sub(p.lastAsk), minMeasureInterval)))
	}
	if waiting == 0 && 2*held > coming {
		return 0
	}
	return max(0, waiting+max(replaced, coming)-held)
}

// shareTime returns how long the next share should be.
func (p *permitBuffer) shareTime() time.Duration {
	ahead := min(max(shareTime, leadTime-p.lead), aloneTime)
	return min(max(ahead, 2*(p.srtt+2*p.rttvar)), maxShareTime)
}

// measure updates srtt and rttvar with the round trip of one request.
func (p *permitBuffer) measure(took time.Duration) {
	took = min(took, maxReplyDelay)
	p.rttvar += ((took - p.srtt).Abs() - p.rttvar) / 8
	p.srtt += (took - p.srtt) / 8
}

// add stores the permits of a lease. Their instants count from the arrival of the reply. So a slow
// Redis delays permits and does not bunch them.
func (p *permitBuffer) add(a leaseReply, sent, came time.Time) {
	if came.Sub(sent) > maxReplyDelay {
		came = sent.Add(maxReplyDelay)
	}
	p.lead = micros(a.from - a.now)
	p.shares = append(p.shares, permitRun{from: came.Add(p.lead), span: micros(a.until - a.from), n: a.n})
}
