package breaker

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/redis/go-redis/v9"

	"fanfare/internal/keys"
	"fanfare/internal/queue"
	"fanfare/internal/redisx"
)

var (
	deletionsLeaseScript = lua.Script("deletions_prelude", "deletions_lease")
	deletionsLookScript  = lua.Script("deletions_prelude", "deletions_look")
)

// Deletions is the breaker of a Firebase project's token deletions, as one replica sees it.
// UNREGISTERED proves that a token is dead. Very many of them at once suggest that the answers are
// wrong. It is safe for concurrent use.
type Deletions struct {
	rdb      redis.UniversalClient
	key      string
	o        DeletionsOptions
	replica  string
	now      func() time.Time
	withheld prometheus.Counter
	notes    unreported

	mu       sync.Mutex
	number   int64 // of the request that is next
	stock    int64 // deletions leased and not used
	until    time.Time
	denied   time.Time // no request before this time
	problem  error     // why, when it was not the budget
	refused  int64     // withheld, and not yet told
	reported int64     // the hour that the log knows about
}

// NewDeletions returns the breaker of a project. It makes no call.
func NewDeletions(rdb redis.UniversalClient, project keys.ProjectKeys, o DeletionsOptions) (*Deletions, error) {
	if err := o.validate(); err != nil {
		return nil, fmt.Errorf("deletions: %w", err)
	}
	withheld := prometheus.NewCounter(prometheus.CounterOpts{
		Namespace: "fanfare", Subsystem: "breaker", Name: "withheld_deletions_total",
		Help: "Dead tokens kept, because too many died at once.",
	})
	if o.Registerer != nil {
		if err := o.Registerer.Register(withheld); err != nil {
			return nil, fmt.Errorf("deletions: register metrics: %w", err)
		}
	}
	return &Deletions{
		rdb: rdb, key: project.Key(keys.SuffixDeletions), o: o, replica: queue.NewID(), now: time.Now, withheld: withheld,
	}, nil
}

// denialTTL is how long a refusal holds without another request.
const denialTTL = time.Second

// Note counts answers of FCM of any kind. The next lease reports them to other replicas.
func (d *Deletions) Note(answers int64) { d.notes.add(answers, d.now()) }

// Take reports whether one token may be deleted now. If not, keep the token. An error means that
// Redis could not be asked. Only the first of several deletions needs a round trip.
func (d *Deletions) Take(ctx context.Context) (allowed bool, err error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	now := d.now()
	if !now.Before(d.until) {
		d.stock = 0
	}
	if d.stock == 0 && !now.Before(d.denied) {
		d.lease(ctx, now)
	}
	if d.stock == 0 {
		d.refused++
		d.withheld.Inc()
		return false, d.problem
	}
	d.stock--
	return true, nil
}

// lease requests a part of the budget. The caller holds the lock.
func (d *Deletions) lease(ctx context.Context, now time.Time) {
	answers, age := d.notes.pending(now)
	refused := d.refused
	s, granted, err := d.ask(ctx, deletionsLeaseScript,
		d.replica, d.number, d.o.Least, d.o.Share, answers, age.Milliseconds(), refused)
	if err != nil {
		d.denied, d.problem = now.Add(denialTTL), fmt.Errorf("lease deletions: %w", err)
		return
	}
	// If an earlier request arrived and its reply was lost, it counted fewer answers than this one.
	// Its budget is smaller.
	d.number++
	d.notes.subtract(answers)
	d.refused -= refused
	d.stock, d.until, d.problem = granted, now.Add(s.Left), nil
	if granted == 0 {
		d.denied = now.Add(denialTTL)
		d.report(s)
	}
}

// report logs once an hour that tokens are kept.
func (d *Deletions) report(s DeletionsState) {
	hour := s.Hour.Unix()
	if d.reported == hour {
		return
	}
	d.reported = hour
	d.o.Logger.Warn("too many dead tokens this hour; tokens kept; check that project and audience belong together",
		"taken", s.Taken, "budget", s.Budget, "answers", s.Answers, "left", s.Left)
}

// DeletionsState is a project's current hour over all replicas.
type DeletionsState struct {
	Hour     time.Time     // its beginning, by the server's clock
	Left     time.Duration // of it
	Answers  int64         // as far as they were told
	Taken    int64         // deletions leased; some may still be unused
	Withheld int64         // dead tokens kept, as far as they were told
	Budget   int64         // for the hour, as it stands
}

// State reads the present hour and changes nothing.
func (d *Deletions) State(ctx context.Context) (DeletionsState, error) {
	s, _, err := d.ask(ctx, deletionsLookScript, d.o.Least, d.o.Share)
	if err != nil {
		return DeletionsState{}, fmt.Errorf("look at deletions: %w", err)
	}
	return s, nil
}

// ask calls a script, both of which reply alike.
func (d *Deletions) ask(ctx context.Context, script *redis.Script, args ...any) (s DeletionsState, granted int64, err error) {
	reply, err := script.Run(ctx, d.rdb, []string{d.key}, args...).Int64Slice()
	if err != nil {
		return DeletionsState{}, 0, redisx.AsTypeError(err)
	}
	if len(reply) != 7 {
		return DeletionsState{}, 0, redisx.ErrReply
	}
	return DeletionsState{
		Hour:    time.UnixMilli(reply[2]).UTC().Truncate(time.Hour),
		Left:    time.Duration(reply[1]) * time.Millisecond,
		Answers: reply[3], Taken: reply[4], Withheld: reply[5], Budget: reply[6],
	}, reply[0], nil
}

// DeletionsOptions set how many tokens a project may lose in an hour. The larger of the two budgets
// applies.
type DeletionsOptions struct {
	// Least is how many deletions are always allowed.
	Least int64
	// Share of the hour's answers, 0 to 1.
	Share float64
	// Logger is required.
	Logger *slog.Logger
	// Registerer takes the metrics; nil: none.
	Registerer prometheus.Registerer
}

func (o DeletionsOptions) validate() error {
	if o.Logger == nil {
		return errors.New("a logger is required")
	}
	if o.Least < 0 {
		return errors.New("least number of deletions is negative")
	}
	if !(o.Share >= 0 && o.Share <= 1) { // which NaN is not
		return errors.New("share of deletions is not between 0 and 1")
	}
	return nil
}

// unreported are answers that this replica has not reported yet. They have a lock of their own, so
// a caller that only adds some never waits for Redis.
type unreported struct {
	mu      sync.Mutex
	answers int64
	since   time.Time
}

func (n *unreported) add(answers int64, now time.Time) {
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.answers == 0 {
		n.since = now
	}
	n.answers += answers
}

// pending returns the answers and the age of the first.
func (n *unreported) pending(now time.Time) (answers int64, age time.Duration) {
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.answers == 0 {
		return 0, 0
	}
	return n.answers, now.Sub(n.since)
}

// subtract removes what Redis knows now. The age stays that of the first answer, which errs towards
// fewer deletions.
func (n *unreported) subtract(answers int64) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.answers -= answers
}
