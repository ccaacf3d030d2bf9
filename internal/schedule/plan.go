package schedule

import (
	"cmp"
	"slices"
	"time"
)

// Wave is a part of an audience that may be sent to in one turn.
type Wave struct {
	Turn
	N     int64
	Each  float64  // pushes of a recipient, on average; 0: one
	Zones []string // for people
	// Next returns the turn that follows one which closes at a moment; ok is false without one. It
	// is for those who are left then. nil: there is none.
	Next func(closes time.Time) (turn Turn, ok bool)
}

// Sender is a campaign that wants a part of the project's pushes: the planned one, or another whose
// pushes are reserved.
type Sender struct {
	Waves            []Wave
	Priority, Weight int
	Rate             float64 // its own cap in pushes a second; 0: none
	// Deadline ends every turn; zero: none.
	Deadline time.Time
}

// each is how many pushes a recipient of the wave gets.
func (w Wave) each() float64 {
	if w.Each <= 0 {
		return 1
	}
	return w.Each
}

// Quota says how many pushes the project can send.
type Quota struct {
	// Rate is the full pace in pushes a second; Ramp is the time from standstill to it.
	Rate float64
	Ramp time.Duration
	// Open is how much of a span may be used, for example outside quarter hours.
	Open func(from, until time.Time) time.Duration
}

// Planned is what becomes of a wave in one turn.
type Planned struct {
	Wave
	Ends time.Time // when its last push goes, if all go in this turn
	// Unsent are recipients who are left when the turn closes, and have no other. Carried have
	// another one, which is planned as a wave of its own; Again marks that.
	Unsent, Carried int64
	Again           bool
	// Hours are the recipients by the hour in which they are sent to, which begins at the key. They
	// are estimates, so they have fractions.
	Hours map[time.Time]float64
}

// step is the resolution of a plan.
const step = time.Minute

// maxSteps limits how long sending is planned: two months, idle times not counted.
const maxSteps = 60 * 24 * 60

// Plan predicts the waves of a sender beside others. Each minute goes to the highest priority, and
// is shared by weight among equals, as the dispatchers do it. A sender's waves go in the order in
// which they open.
func Plan(now time.Time, quota Quota, own Sender, others []Sender) []Planned {
	streams := []*stream{newStream(own)}
	for _, other := range others {
		streams = append(streams, newStream(other))
	}
	mine, warm := streams[0], 0.0
	at := now
	for range maxSteps {
		for _, w := range streams {
			w.roll(at)
		}
		if len(mine.live) == 0 {
			break
		}
		if next := firstOpening(streams, at); next.Sub(at) > step {
			at, warm = next, 0 // no one sends meanwhile
		}
		open := quota.Open(at, at.Add(step))
		room := quota.Rate * open.Seconds() * warmth(&warm, quota.Ramp, open)
		if used := share(streams, at, room); used == 0 {
			warm = 0
		}
		at = at.Add(step)
	}
	return mine.planned
}

// warmth returns the mean pace of a span, as a share of the full one, and warms the ramp.
func warmth(warm *float64, ramp, open time.Duration) float64 {
	before := *warm
	if open < step/2 {
		*warm = 0
	} else {
		*warm = min(1, before+open.Seconds()/max(ramp.Seconds(), 1e-9))
	}
	if ramp <= 0 || before >= 1 || open <= 0 {
		return 1
	}
	untilFull := (1 - before) * ramp.Seconds()
	if untilFull >= open.Seconds() {
		return before + open.Seconds()/ramp.Seconds()/2
	}
	return 1 - untilFull*(1-before)/2/open.Seconds()
}

// stream is a sender while it is planned.
type stream struct {
	Sender
	planned []Planned
	left    []float64 // pushes
	// live are the indices of the waves with pushes left whose turn has not closed, in the order in
	// which they open.
	live []int
}

func newStream(s Sender) *stream {
	w := &stream{Sender: s}
	w.Weight = max(1, w.Weight)
	waves := slices.Clone(s.Waves)
	slices.SortStableFunc(waves, func(a, b Wave) int { return cmp.Or(a.Opens.Compare(b.Opens), a.Closes.Compare(b.Closes)) })
	for _, wave := range waves {
		w.add(Planned{Wave: wave, Unsent: wave.N}, float64(wave.N)*wave.each())
	}
	return w
}

func (w *stream) add(p Planned, left float64) {
	p.Hours = make(map[time.Time]float64)
	w.live = append(w.live, len(w.planned))
	w.planned, w.left = append(w.planned, p), append(w.left, left)
}

// roll moves who is left when a turn closes into the next one.
func (w *stream) roll(at time.Time) {
	before, rolled := w.live, false
	w.live = nil
	for _, i := range before {
		p := &w.planned[i]
		switch closed := !p.Closes.IsZero() && !at.Before(p.Closes); {
		case w.left[i] <= 0:
		case !closed:
			w.live = append(w.live, i)
		case p.Next != nil:
			if turn, ok := p.Next(p.Closes); ok {
				wave, left := p.Wave, w.left[i]
				wave.Turn, wave.N = turn, p.Unsent
				p.Carried, p.Unsent, w.left[i] = p.Unsent, 0, 0
				w.add(Planned{Wave: wave, Unsent: wave.N, Again: true}, left)
				rolled = true
			}
		}
	}
	if rolled {
		slices.SortStableFunc(w.live, func(a, b int) int { return w.planned[a].Opens.Compare(w.planned[b].Opens) })
	}
}

// firstOpening is when a wave with pushes left is open first, from a moment on; zero if none is.
func firstOpening(streams []*stream, at time.Time) (first time.Time) {
	for _, w := range streams {
		for _, i := range w.live {
			if start := w.planned[i].Start(at); first.IsZero() || start.Before(first) {
				first = start
			}
		}
	}
	return first
}

// wanted is how many pushes a sender could use of the step at a moment, which has room for so many.
func (w *stream) wanted(at time.Time, room float64) float64 {
	n := 0.0
	for _, i := range w.live {
		n += min(w.left[i], room*w.planned[i].overlap(at))
	}
	if w.Rate > 0 {
		room = min(room, w.Rate*step.Seconds())
	}
	return min(n, room)
}

// overlap is the part of the step at a moment in which the wave is open.
func (p *Planned) overlap(at time.Time) float64 {
	from, until := p.Start(at), at.Add(step)
	if !p.Closes.IsZero() && p.Closes.Before(until) {
		until = p.Closes
	}
	return max(0, until.Sub(from).Seconds()/step.Seconds())
}

// share divides the room of the step at a moment, and returns how much of it was used.
func share(streams []*stream, at time.Time, room float64) (used float64) {
	full := room
	order := slices.Clone(streams)
	slices.SortStableFunc(order, func(a, b *stream) int { return cmp.Compare(b.Priority, a.Priority) })
	for len(order) > 0 && room > 0 {
		equals := 1
		for equals < len(order) && order[equals].Priority == order[0].Priority {
			equals++
		}
		got := shareEqually(order[:equals], at, room, full)
		room, used, order = room-got, used+got, order[equals:]
	}
	return used
}

// shareEqually divides the room among senders of one priority by weight. What one cannot use goes
// to the others.
func shareEqually(equals []*stream, at time.Time, room, full float64) (used float64) {
	open := slices.Clone(equals)
	for len(open) > 0 && room > 0 {
		weights := 0
		for _, w := range open {
			weights += w.Weight
		}
		least := slices.MinFunc(open, func(a, b *stream) int {
			return cmp.Compare(a.wanted(at, full)/float64(a.Weight), b.wanted(at, full)/float64(b.Weight))
		})
		n := min(least.wanted(at, full), room*float64(least.Weight)/float64(weights))
		least.take(at, n, full)
		room, used = room-n, used+n
		open = slices.DeleteFunc(open, func(w *stream) bool { return w == least })
	}
	return used
}

// take sends so many pushes in the step at a moment, the earliest wave first.
func (w *stream) take(at time.Time, n, full float64) {
	before := 0.0
	for _, i := range w.live {
		p := &w.planned[i]
		got := min(n-before, w.left[i], full*p.overlap(at))
		if got <= 0 {
			continue
		}
		before += got
		w.left[i] -= got
		p.Hours[p.Start(at).UTC().Truncate(time.Hour)] += got / p.each()
		if w.left[i] < 0.5 {
			w.left[i] = 0
			p.Ends = p.Start(at).Add(time.Duration(before / full * float64(step)))
		}
		p.Unsent = int64(w.left[i]/p.each() + 0.5)
	}
}
