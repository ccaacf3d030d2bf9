// Package fleet keeps the list of running dispatchers and responders in Redis. Each process beats
// every few seconds with what it does at the moment. A process that has not beaten three times in a
// row counts as dead, by Redis' clock.
package fleet

import (
	"cmp"
	"context"
	"embed"
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"time"

	"github.com/redis/go-redis/v9"

	"fanfare/internal/bounds"
	"fanfare/internal/keys"
	"fanfare/internal/redisx"
	"fanfare/internal/warnings"
)

// Role is what a process does.
type Role string

// The two daemons.
const (
	Dispatcher Role = "dispatcher"
	Responder  Role = "responder"
)

// Phase is where a process is between its start and its end.
type Phase string

// Starting processes wait for FCM or SQL. Stopping ones finish what they hold.
const (
	Starting Phase = "starting"
	Serving  Phase = "serving"
	Stopping Phase = "stopping"
)

// Process is a running process, as its last beat described it.
type Process struct {
	ID        string    `json:"id"`
	Role      Role      `json:"role"`
	Version   string    `json:"version"`
	Host      string    `json:"host"`
	PID       int       `json:"pid"`
	StartedAt time.Time `json:"startedAt"`          // the process's own clock
	Project   string    `json:"project,omitempty"`  // the Firebase project of a dispatcher
	Campaign  string    `json:"campaign,omitempty"` // the only campaign that a Job serves

	Phase Phase `json:"phase"`
	Load
	Rate   float64 `json:"rate"`   // recipients or results finished a second, since the beat before
	Memory uint64  `json:"memory"` // bytes that Go holds
	// Warnings are what fails in the process at the moment, the oldest first.
	Warnings []warnings.Current `json:"warnings,omitempty"`

	BeatAge time.Duration `json:"-"` // since the last beat, by Redis' clock
}

// Load is what a process works on at one moment.
type Load struct {
	Held   int64 `json:"held"`   // recipients or results, from claim to outcome
	OnWire int64 `json:"onWire"` // requests to FCM without an answer yet
	Leases int   `json:"leases"`
	// OldestLease is how long the oldest of them has been held.
	OldestLease time.Duration `json:"-"`
	// Done counts everything finished since the start.
	Done int64 `json:"done"`
}

// report is a process as JSON. Durations are in seconds.
type report struct {
	plain
	OldestLease float64 `json:"oldestLeaseSeconds,omitempty"`
	BeatAge     float64 `json:"beatAgeSeconds"`
}

type plain Process // without the methods

// MarshalJSON writes durations in seconds.
func (p Process) MarshalJSON() ([]byte, error) {
	return json.Marshal(report{plain(p), p.OldestLease.Seconds(), p.BeatAge.Seconds()})
}

// CanServe reports whether a dispatcher may take a campaign of a Firebase project. A campaign
// without a project may be taken by any.
func (p Process) CanServe(campaign, project string) bool {
	return p.Role == Dispatcher && p.Phase != Stopping &&
		(p.Campaign == "" || p.Campaign == campaign) && (project == "" || p.Project == "" || p.Project == project)
}

// Notes say what the figures do not: what the process waits for, and what it serves alone.
func (p Process) Notes() []string {
	var notes []string
	switch {
	case p.Phase == Starting && p.Role == Dispatcher:
		notes = append(notes, "waits for FCM")
	case p.Phase == Starting:
		notes = append(notes, "waits for the database")
	case p.Phase == Stopping:
		notes = append(notes, "is stopping")
	}
	if p.Campaign != "" {
		notes = append(notes, "serves campaign "+p.Campaign+" alone")
	}
	return notes
}

//go:embed lua
var files embed.FS

var (
	lua        = redisx.NewLua(files)
	beatScript = lua.Script("prelude", "beat")
	listScript = lua.Script("prelude", "list")
)

// Fleet is the list of running processes. It is safe for concurrent use.
type Fleet struct {
	rdb   redis.UniversalClient
	names keys.Names
}

// New returns the fleet of a Redis. It makes no call.
func New(rdb redis.UniversalClient, names keys.Names) *Fleet { return &Fleet{rdb, names} }

// key is where the processes of a role are listed.
func (f *Fleet) key(role Role) string {
	if role == Responder {
		return f.names.Responders()
	}
	return f.names.Dispatchers()
}

// List returns the running processes: dispatchers first, then by host and start. It is not nil.
func (f *Fleet) List(ctx context.Context) ([]Process, error) {
	calls := []redisx.Call{{Keys: []string{f.key(Dispatcher)}}, {Keys: []string{f.key(Responder)}}}
	all := []Process{}
	for _, reply := range redisx.RunEach(ctx, f.rdb, listScript, calls) {
		fields, err := reply.StringSlice()
		if err != nil {
			return nil, fmt.Errorf("list running processes: %w", redisx.AsTypeError(err))
		}
		for each := range slices.Chunk(fields, 3) {
			if p, ok := decode(each); ok {
				all = append(all, p)
			}
		}
	}
	slices.SortFunc(all, func(a, b Process) int {
		return cmp.Or(cmp.Compare(a.Role, b.Role), cmp.Compare(a.Host, b.Host), a.StartedAt.Compare(b.StartedAt), cmp.Compare(a.ID, b.ID))
	})
	return all, nil
}

// decode reads a process. A report that another version wrote and that cannot be read is left out:
// its next beat replaces it, or it expires.
func decode(fields []string) (Process, bool) {
	var report report
	if len(fields) != 3 || json.Unmarshal([]byte(fields[2]), &report) != nil {
		return Process{}, false
	}
	age, err := strconv.ParseInt(fields[0], 10, 64)
	p := Process(report.plain)
	p.ID, p.BeatAge = fields[1], max(0, time.Duration(age)*time.Millisecond)
	p.OldestLease = bounds.Span(int64(report.OldestLease * 1000))
	return p, err == nil
}
