package campaign

import (
	"cmp"
	"context"
	"fmt"
	"os"
	"strconv"
	"strings"
	"time"

	"fanfare/internal/terminal"
)

const (
	// loadLease is how long a loader has its campaign for itself after its last call. It is short,
	// because a load that continues that of a dead process waits for its end. A slow loader loses
	// nothing: it takes the lease again if no one else has.
	loadLease = 5 * time.Second
	// RenewInterval is how often a loader that pushes nothing must call Renew.
	RenewInterval = time.Second
	// heldFor is for how long a loader counts as held back after it was. It covers the moments
	// in which it pushes a batch or two.
	heldFor = 2 * time.Second
	// loadingNote is the field of counts with the lease: see read_loading in prelude.lua.
	loadingNote = "loading"
)

// BusyError is returned to a load while another loader has the campaign.
type BusyError struct {
	ID    string
	Owner string    // a host and a process
	Since time.Time // by the server's clock
	Until time.Time // its lease ends then, unless it is renewed
}

func (e *BusyError) Error() string {
	return fmt.Sprintf("another load of campaign %s is running, %s, since %s: one goes at a time", terminal.Printable(e.ID), terminal.Printable(e.Owner), e.Since.UTC().Format(time.DateTime+" MST"))
}

func busyError(id string, details []string) error {
	e := &BusyError{ID: id}
	if len(details) == 3 {
		e.Since, e.Until, e.Owner = time.UnixMilli(parseCount(details[0])), time.UnixMilli(parseCount(details[1])), details[2]
	}
	return e
}

// loadOwner names this process.
func loadOwner() string {
	host, _ := os.Hostname() // without a name, the process is named alone
	return cmp.Or(host, "an unknown host") + " process " + strconv.Itoa(os.Getpid())
}

// CountOpen returns how many recipients of the campaign were in Redis without an outcome after the
// last batch, or after the last call of Renew.
func (l *Loader) CountOpen() int64 { return l.inRedis }

// Renew keeps the lease while the loader pushes nothing, and keeps the campaign from completing. If
// limit is above 0, the loader is held back because so many recipients may be in Redis; people see
// that. It returns the state of the campaign, "" without a spec.
func (l *Loader) Renew(ctx context.Context, limit int64) (State, error) {
	if !l.begun {
		return "", nil
	}
	state, err := l.renew(ctx, limit)
	return state, wrap("load", l.id, err)
}

func (l *Loader) renew(ctx context.Context, limit int64) (State, error) {
	mark := l.load
	if l.resumed != nil && !l.resumed.taken {
		mark = l.resumed.load
	}
	args := append([]any{
		l.load, mark, loadPatience.Milliseconds(), loadLease.Milliseconds(), loadOwner(), limit, l.c.actor(ctx), heldFor.Milliseconds(),
	}, selectStates(State.IsFinal)...)
	reply := decode(renewLoadScript.Run(ctx, l.c.rdb, l.keys.scriptKeys(), args...))
	if err := l.check("renew the lease", reply); err != nil || len(reply.details) < 2 {
		return "", err
	}
	return State(reply.details[1]), nil
}

// RunningLoad is the load whose process has the lease.
type RunningLoad struct {
	Owner string    `json:"owner"` // a host and a process
	Since time.Time `json:"since"`
	// HeldSince is set while the loader waits, because Limit recipients of the campaign are in
	// Redis. Limit stays when it continues.
	HeldSince time.Time `json:"heldSince,omitzero"`
	Limit     int64     `json:"limit,omitempty"`
}

// IsHeld reports whether the loader waits for room in Redis.
func (l *RunningLoad) IsHeld() bool { return l != nil && !l.HeldSince.IsZero() }

// parseLoading reads the lease; nil if no loader has one at that moment.
func parseLoading(text string, now time.Time) *RunningLoad {
	words := strings.SplitN(text, " ", 7)
	if len(words) < 7 || parseCount(words[0]) <= now.UnixMilli() {
		return nil
	}
	l := &RunningLoad{Owner: words[6], Since: time.UnixMilli(parseCount(words[1])).UTC(), Limit: parseCount(words[4])}
	if at := parseCount(words[2]); at > now.Add(-heldFor).UnixMilli() {
		l.HeldSince = time.UnixMilli(parseCount(words[3])).UTC()
	}
	return l
}
