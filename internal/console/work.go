package console

import (
	"context"
	"crypto/rand"
	"errors"
	"net/http"
	"slices"
	"sync"
	"time"

	"fanfare/internal/history"
	"fanfare/internal/redact"
)

// work is something long that the console does for a person: a load or a replay. It continues when
// the person leaves the page, and ends with the process. Both can be continued: a load by loading
// the same file again, a replay by replaying what is left.
type work struct {
	id, subject string        // subject is what it is about: dead letters, or a campaign
	over        chan struct{} // closed when it has ended
	title, who  string
	now         func() time.Time

	mu          sync.Mutex
	phase       phase
	begins      time.Time // until then it can be undone
	began       time.Time
	ended       time.Time
	done        int64
	all         int64  // 0: unknown
	of, ofOne   string // what is counted
	part, whole int64  // of a file, in bytes; whole is 0 if there is none
	notes       []string
	outcome     string // what happened, once it has ended
	problem     string
	advice      string
	progress    []workPoint // for the rate of the last seconds
	stop        context.CancelFunc
}

// phase is how far a work has come.
type phase int

const (
	phaseWaiting phase = iota // can be undone
	phaseRunning
	phaseDone
	phaseUndone
	phaseStopped
	phaseFailed
)

func (p phase) hasEnded() bool { return p >= phaseDone }

// undoFor is how long a replay waits before its first batch, so that a person can undo it.
const undoFor = 10 * time.Second

// workShown is how long an ended work is shown.
const workShown = 10 * time.Minute

// maxWorks limits the works that run at the same time.
const maxWorks = 8

// works are the works of this process.
type works struct {
	mu      sync.Mutex
	ctx     context.Context //nolint:containedctx // the life of Run, which outlives a request
	all     []*work
	running sync.WaitGroup
}

var errNotRunning = errors.New("the console is stopping, or has not begun: try again")

func (w *works) open(ctx context.Context) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.ctx = ctx
}

// close waits for the works, whose context has ended. No other begins after it.
func (w *works) close() {
	w.mu.Lock()
	w.ctx = nil
	w.mu.Unlock()
	w.running.Wait()
}

// task is what a work does. It reports progress, and says in words what it did.
type task func(ctx context.Context, w *work) (outcome string, err error)

// begin starts a work after wait, in which it can be undone.
func (w *works) begin(next *work, wait time.Duration, run task) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.ctx == nil || w.ctx.Err() != nil {
		return errNotRunning
	}
	running := 0
	w.all = slices.DeleteFunc(w.all, func(each *work) bool { return each.isOld(next.now()) })
	for _, each := range w.all {
		if !each.hasEnded() {
			running++
		}
	}
	if running >= maxWorks {
		return &inputError{"Too many loads and replays are under way. Wait for one, or stop one."}
	}
	ctx, stop := context.WithCancel(history.WithActor(w.ctx, actorOf(viewer{Name: next.who})))
	next.id, next.stop, next.over, next.begins = rand.Text(), stop, make(chan struct{}), next.now().Add(wait)
	w.all = append(w.all, next)
	w.running.Go(func() {
		defer stop()
		defer close(next.over)
		next.run(ctx, wait, run)
	})
	return nil
}

func (w *works) find(id string) *work {
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, each := range w.all {
		if each.id == id {
			return each
		}
	}
	return nil
}

// about returns the works of a subject, the newest first.
func (w *works) about(subject string, now time.Time) []workView {
	w.mu.Lock()
	defer w.mu.Unlock()
	var all []workView
	for _, each := range slices.Backward(w.all) {
		if each.subject == subject && !each.isOld(now) {
			all = append(all, each.view(now))
		}
	}
	return all
}

func (w *work) run(ctx context.Context, wait time.Duration, task task) {
	timer := time.NewTimer(wait)
	defer timer.Stop()
	select {
	case <-ctx.Done():
		w.end(phaseUndone, "Undone: nothing was changed.", nil)
		return
	case <-timer.C:
	}
	w.mu.Lock()
	w.phase, w.began = phaseRunning, w.now()
	w.mu.Unlock()
	outcome, err := task(ctx, w)
	switch {
	case err == nil:
		w.end(phaseDone, outcome, nil)
	case ctx.Err() != nil:
		w.end(phaseStopped, "Stopped. "+outcome, nil)
	default:
		w.end(phaseFailed, outcome, err)
	}
}

func (w *work) end(p phase, outcome string, err error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.phase, w.outcome, w.ended = p, outcome, w.now()
	if err != nil {
		w.problem = redact.Text(err.Error())
	}
}

// count reports how much is done.
func (w *work) count(done int64) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.done = done
	now := w.now()
	if n := len(w.progress); n == 0 || now.Sub(w.progress[n-1].at) >= time.Second {
		w.progress = append(w.progress, workPoint{now, done})
		w.progress = w.progress[max(0, len(w.progress)-10):]
	}
}

// countPart reports how much is done, and how many bytes of the file were read.
func (w *work) countPart(done, part int64) {
	w.count(done)
	w.mu.Lock()
	defer w.mu.Unlock()
	w.part = part
}

// advise says what a person can do if it does not end well.
func (w *work) advise(text string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.advice = text
}

// note adds lines that say more.
func (w *work) note(lines ...string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.notes = append(w.notes, lines...)
}

func (w *work) setAll(n int64) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.all = n
}

func (w *work) hasEnded() bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.phase.hasEnded()
}

func (w *work) isOld(now time.Time) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.phase.hasEnded() && now.Sub(w.ended) > workShown
}

// stopWork undoes a work that has not begun, or stops one that has.
func (c *Console) stopWork(r *http.Request) (done, error) {
	each := c.works.find(r.PathValue("id"))
	if each == nil {
		return done{}, &inputError{"This work is over and forgotten."}
	}
	each.stop()
	return done{Message: "Stopping: " + each.title + "."}, nil
}
