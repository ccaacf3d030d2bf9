package dispatcher

import (
	"cmp"
	"slices"
	"sync"
	"time"

	"fanfare/internal/campaign"
	"fanfare/internal/dedupe"
	"fanfare/internal/notification"
	"fanfare/internal/queue"
)

// deviceDelivery is what a delivery has if the recipient has more than one address.
type deviceDelivery struct {
	group *deviceGroup // the recipient's devices; nil: there is one
	index int          // of the device in the group
	// others are tried in turn if the address proves dead: other addresses of the same device, or
	// devices that were used before it.
	others []notification.Device
	moved  []notification.DeviceResult // see deviceState
	tried  []notification.Target       // addresses that proved dead
	dead   bool                        // the last of them did
}

// deviceGroup is one recipient with several devices. Each device has a delivery of its own: one
// whose answer does not come delays no other. The pool's size still limits the pushes at one time.
// The recipient keeps one element and one slot; the delivery that ends last ends it.
type deviceGroup struct {
	mu        sync.Mutex
	states    []deviceState // in the order of the result
	open      int           // deliveries without an outcome
	unsent    bool          // a device was not sent to and goes back
	sent      bool          // a device may have been sent to in this claim
	badLocale bool          // of a device: it names no language
	cause     string        // why a device is deferred, if that is counted

	unreached []dedupe.Address // of devices that have ended; not yet with the acker
}

// addresses returns what the delivery has beside its first address, and makes it if need be.
func (d *delivery) addresses() *deviceDelivery {
	if d.device == nil {
		d.device = &deviceDelivery{}
	}
	return d.device
}

// group returns the recipient's devices, or nil if it has one.
func (d *delivery) group() *deviceGroup {
	if d.device == nil {
		return nil
	}
	return d.device.group
}

// endDevice records the final result of one device.
func (f *finisher) endDevice(dl *delivery, g *deviceGroup, r *notification.Result) {
	f.changeDevice(dl, g, func(s *deviceState) {
		s.DeviceResult = deviceResultOf(dl, r)
		s.Due, s.Error, s.Dead, s.Next = 0, r.Error, dl.device.dead, ""
		g.unreached = append(g.unreached, dl.unreached(r.Status)...)
	})
}

// deviceResultOf returns the result of a delivery as that of its device.
func deviceResultOf(dl *delivery, r *notification.Result) notification.DeviceResult {
	address, kind := dl.recipient.Target.NameInResult()
	d := notification.DeviceResult{
		Address: address, Kind: kind, Platform: dl.recipient.Platform,
		Status: r.Status, MessageID: r.MessageID, ErrorCode: r.ErrorCode, Attempts: r.Attempts, Locale: dl.language(),
	}
	isMoved := func(m notification.DeviceResult) bool { return m.Token == r.Token } // it has an entry of its own
	if r.TokenRemoved && !slices.ContainsFunc(dl.device.moved, isMoved) {
		d.TokenRemoved, d.Token = true, r.Token
	}
	return d
}

// deferDevice records that one device is tried again after wait.
func (f *finisher) deferDevice(dl *delivery, g *deviceGroup, wait time.Duration, attempts int, cause string) {
	f.changeDevice(dl, g, func(s *deviceState) {
		g.cause = cmp.Or(cause, g.cause)
		s.Attempts, s.Due = attempts, dl.lease.serverTime(f.now().Add(wait)).UnixMilli()
		s.noteNext(dl)
		g.unreached = append(g.unreached, dl.takenDead()...)
	})
}

// changeDevice records what happened to a device and ends its delivery. The progress of the
// recipient is written while other devices are under way, or before it goes back. The lock is held
// until the acker has it, so that an older progress never follows a newer one.
func (f *finisher) changeDevice(dl *delivery, g *deviceGroup, change func(*deviceState)) {
	g.mu.Lock()
	defer g.mu.Unlock()
	s := &g.states[dl.device.index]
	change(s)
	s.noteAddresses(dl)
	g.sent = g.sent || dl.mayHaveSent()
	g.open--
	if g.open > 0 || g.unsent {
		f.saveProgress(dl, g)
	}
	f.concludeIfDone(dl, g)
}

// saveProgress has the acker write the states of all devices. The caller holds the lock.
func (f *finisher) saveProgress(dl *delivery, g *deviceGroup) {
	dl.lease.camp.unwritten.Add(1)
	f.outcomes <- outcome{lease: dl.lease, partial: true, settlement: g.settlement(dl), unreached: g.takeUnreached()}
}

// returnDevice records that one device was not sent to, or not since an address of it proved dead.
func (f *finisher) returnDevice(dl *delivery, g *deviceGroup) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.sent = g.sent || dl.mayHaveSent()
	g.open--
	g.unsent = true
	if dl.hasReplaced() {
		s := &g.states[dl.device.index]
		s.noteAddresses(dl)
		s.noteNext(dl)
		s.Attempts, s.Due = dl.attempts, 0
		g.unreached = append(g.unreached, dl.takenDead()...)
		f.saveProgress(dl, g)
	}
	f.concludeIfDone(dl, g)
}

// releaseGroup gives up the hold of the preparer, which keeps a group open until all its deliveries
// are made.
func (f *finisher) releaseGroup(dl *delivery, g *deviceGroup) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.open--
	f.concludeIfDone(dl, g)
}

// concludeIfDone ends the recipient if no delivery of its devices is under way. Devices that were
// not sent to take the element back with them, deferred ones put it off. The caller holds the lock.
func (f *finisher) concludeIfDone(dl *delivery, g *deviceGroup) {
	if g.open > 0 {
		return
	}
	due := g.firstDue()
	switch {
	case g.unsent:
		f.finish(dl, outcome{lease: dl.lease, goesBack: true, uncounted: f.uncountedUnsent(dl, g.sent)})
	case due > 0:
		f.countDeferral(g.cause)
		later := g.settlement(dl)
		later.Cause = g.cause
		later.Later, later.Delay = true, time.UnixMilli(due).Sub(dl.lease.serverTime(f.now()))
		f.finish(dl, outcome{lease: dl.lease, settlement: later, unreached: g.takeUnreached(), uncounted: f.uncountedUnsent(dl, g.sent)})
	default:
		if best := g.best(); best.Dead {
			f.breaker.countUnreachable(dl.lease, best.Platform)
		}
		r := g.result(dl)
		ended := f.outcomeOf(dl, r)
		ended.unreached = append(g.takeUnreached(), dl.unreachedUser(r.Status)...)
		f.finish(dl, ended)
	}
}

// takeUnreached returns the addresses to give up, once. The caller holds the lock.
func (g *deviceGroup) takeUnreached() []dedupe.Address {
	all := g.unreached
	g.unreached = nil
	return all
}

// settlement saves the states of all devices with the element.
func (g *deviceGroup) settlement(dl *delivery) queue.Settlement {
	attempts := 0
	for i := range g.states {
		attempts += g.states[i].Attempts
	}
	return queue.Settlement{Claim: dl.lease.Claim, Pos: dl.element.Pos, Attempts: attempts, Progress: encodeStates(g.states)}
}

// firstDue is when the first deferred device may be sent to; 0: all devices have ended.
func (g *deviceGroup) firstDue() int64 {
	var first int64
	for i := range g.states {
		if s := &g.states[i]; !s.hasEnded() && (first == 0 || s.Due < first) {
			first = max(s.Due, 1)
		}
	}
	return first
}

// best returns the state of the device that stands for the user: the first of those with the
// highest rank.
func (g *deviceGroup) best() *deviceState {
	best := &g.states[0]
	for i := range g.states {
		if s := &g.states[i]; s.rank() > best.rank() {
			best = s
		}
	}
	return best
}

// result makes the result of the recipient from those of the devices. A token that moved stands
// before its device, and no count includes it.
func (g *deviceGroup) result(dl *delivery) *notification.Result {
	best := g.best()
	r := &notification.Result{
		CampaignID: dl.lease.camp.id, UserID: dl.recipient.UserID, ResultID: dl.element.ID,
		Status: best.Status, MessageID: best.MessageID, ErrorCode: best.ErrorCode, Error: best.Error, Attempts: best.Attempts,
		TokenRemoved: best.TokenRemoved, Token: best.Token, Locale: best.Locale,
	}
	if len(g.states) == 1 { // see keptGroup
		addMoved(r, best.Moved, best.DeviceResult)
		return r
	}
	for i := range g.states {
		s := &g.states[i]
		r.Devices = append(append(r.Devices, s.Moved...), s.DeviceResult)
	}
	return r
}

// notes counts what the books have beside the recipient. The recipient itself stands for its best
// device.
func (g *deviceGroup) notes() []queue.Note {
	counts := &noteCounts{}
	best := g.best()
	for i := range g.states {
		s := &g.states[i]
		counts.add(campaign.NoteMoved, len(s.Moved))
		if s.Kept {
			counts.setOnce(campaign.NoteTokenKept)
		}
		if s != best {
			for _, name := range campaign.NotesOfDevice(s.Status, s.ErrorCode) {
				counts.add(name, 1)
			}
		}
	}
	return counts.notes
}

// noteCounts adds up notes by name.
type noteCounts struct{ notes []queue.Note }

func (c *noteCounts) add(name string, n int) {
	for i := range c.notes {
		if c.notes[i].Name == name {
			c.notes[i].N += n
			return
		}
	}
	if n > 0 {
		c.notes = append(c.notes, queue.Note{Name: name, N: n})
	}
}

func (c *noteCounts) setOnce(name string) {
	c.add(name, 1)
	for i := range c.notes {
		if c.notes[i].Name == name {
			c.notes[i].N = 1
		}
	}
}
