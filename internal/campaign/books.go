package campaign

import (
	"context"
	"encoding/json"
	"strconv"
	"time"

	"fanfare/internal/notification"
	"fanfare/internal/queue"
)

// Books are what became of a campaign's recipients, read at one moment.
type Books struct {
	// Loaded is every recipient known: those claimed so far and those listed, or what our loader put in where that is more.
	Loaded int64 `json:"loaded"`

	// Sent to Unknown count recipients that have ended, by status.
	Sent    int64 `json:"sent"`
	Failed  int64 `json:"failed"`
	Skipped int64 `json:"skipped"`
	Expired int64 `json:"expired"`
	Unknown int64 `json:"unknown"`

	// Waiting are in the list or came back to be served first, InFlight are leased, Retrying have a due time.
	Waiting  int64 `json:"waiting"`
	InFlight int64 `json:"inFlight"`
	Retrying int64 `json:"retrying"`

	// Missing were seen and are nowhere: Redis has thrown them away, or someone deleted a key. After a loss of the counts those are
	// among them who had ended before.
	Missing int64 `json:"missing"`
	// Waived are missing recipients that a person has given up: the campaign was started without them.
	Waived int64 `json:"waived,omitempty"`
	// Recount says that the counts were deleted once, or changed, and do not go back to the beginning.
	Recount bool `json:"recount,omitempty"`
	// Interrupted counts what was loaded by loads that have not come to their end; while Loading one of them may still go on.
	Interrupted int64 `json:"interrupted,omitempty"`
	Loading     bool  `json:"loading,omitempty"`
	// Outbox counts results that are not yet on their way to the responder.
	Outbox int64 `json:"outbox"`
	// Resent counts the requests that ended without a readable answer and were put off to be made again; Lost how often a
	// recipient's sender stopped without an outcome.
	Resent int64 `json:"resent"`
	Lost   int64 `json:"lost"`
	// Codes counts what ended by "status:code".
	Codes map[string]int64 `json:"codes,omitempty"`
	// Deadline is when everyone left ends as expired; zero: never. Server's clock. One that is Assumed follows from
	// Options.DefaultTTL alone, and gives way to the campaign's own.
	Deadline time.Time `json:"deadline,omitzero"`
	Assumed  bool      `json:"assumed,omitempty"`
	// NextRetry is when the first retry is due; zero: none waits. ClockBack is by how much Redis' clock has gone back since its
	// recipient was first claimed. Until the clock is there again, retries wait that long.
	NextRetry time.Time     `json:"nextRetry,omitzero"`
	ClockBack time.Duration `json:"-"`

	now, leasedUntil time.Time // server's clock
}

// CauseAmbiguous is the cause under which recipients are put off whose request ended without a readable answer.
const CauseAmbiguous = "ambiguous"

// Books reads a campaign's books. A campaign that nothing is known of has empty books.
func (c *Campaigns) Books(ctx context.Context, id string) (Books, error) {
	q, err := c.Queue(id)
	if err != nil {
		return Books{}, wrap("read books of", id, err)
	}
	counts, err := q.Count(ctx)
	if err != nil {
		return Books{}, wrap("read books of", id, err)
	}
	return booksOf(counts), nil
}

func booksOf(c queue.Counts) Books {
	ended := func(s notification.Status) int64 { return max(0, c.Ended[string(s)]) }
	b := Books{
		Sent:      ended(notification.StatusSent),
		Failed:    ended(notification.StatusFailed),
		Skipped:   ended(notification.StatusSkipped),
		Expired:   ended(notification.StatusExpired),
		Unknown:   ended(notification.StatusUnknown),
		Waiting:   c.Listed + c.Back,
		InFlight:  c.InFlight,
		Retrying:  c.Retrying,
		Outbox:    c.Outbox,
		Resent:    max(0, c.Later[CauseAmbiguous]),
		Lost:      max(0, c.Reaped),
		Codes:     c.Codes,
		Deadline:  c.Deadline,
		Assumed:   c.Assumed,
		NextRetry: c.NextRetry,
		Waived:    parseCount(c.Notes["waived"]),
		now:       c.Now,

		leasedUntil: c.LeasedUntil,
	}
	seen := c.Seen
	if seen == 0 {
		seen = c.Accepted // by a version that did not note what it saw
	}
	b.Loaded = max(seen, c.Recalled, c.Claimed+c.Listed, b.Ended()+b.Open())
	b.Missing = b.Loaded - b.Ended() - b.Open()
	b.Recount = c.Recalled > c.Seen || c.Notes["recount"] != ""
	b.ClockBack = max(0, c.RetrySince.Sub(c.Now))
	for load, p := range loadsIn(c.Notes) {
		b.Interrupted += p.rows
		b.Loading = b.Loading || parseCount(c.Notes[loadMark+load]) > c.Now.UnixMilli()
	}
	return b
}

// parseCount is lenient: what a person has written there is none.
func parseCount(text string) int64 {
	n, _ := strconv.ParseInt(text, 10, 64)
	return max(0, n)
}

// ListDeadline is the list's own, by the campaign's: one that is only assumed gives way.
func (b Books) ListDeadline(own time.Time) time.Time {
	if b.Assumed && !own.IsZero() {
		return time.Time{}
	}
	return b.Deadline
}

// OnTheWire reports whether a sender still holds recipients, whose outcomes it will write.
func (b Books) OnTheWire() bool { return b.InFlight > 0 && b.leasedUntil.After(b.now) }

// UntilRetry is how long the first retry waits still; 0 for one that is due.
func (b Books) UntilRetry() time.Duration {
	if b.NextRetry.IsZero() {
		return 0
	}
	return max(0, b.NextRetry.Sub(b.now))
}

// MarshalJSON adds whether the books balance, so that nobody has to do the sum again.
func (b Books) MarshalJSON() ([]byte, error) {
	type fields Books
	return json.Marshal(struct {
		fields
		ClockBack float64 `json:"clockBackSeconds,omitempty"`
		Balanced  bool    `json:"balanced"`
	}{fields(b), b.ClockBack.Seconds(), b.Balanced()})
}

// Ended counts the recipients whose outcome is known for good.
func (b Books) Ended() int64 { return b.Sent + b.Failed + b.Skipped + b.Expired + b.Unknown }

// Open counts the recipients that have not ended and are not lost.
func (b Books) Open() int64 { return b.Waiting + b.InFlight + b.Retrying }

// Balanced reports whether everyone who was loaded is accounted for, by counts that go back to the beginning.
func (b Books) Balanced() bool {
	return b.Missing == 0 && !b.Recount && b.Loaded == b.Ended()+b.Open()
}
