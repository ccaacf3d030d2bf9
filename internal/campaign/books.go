package campaign

import (
	"context"
	"encoding/json"
	"slices"
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

	// Missing were loaded and are nowhere: Redis has thrown them away, or somebody deleted a list.
	Missing int64 `json:"missing"`
	// Outbox counts results that are not yet on their way to the responder.
	Outbox int64 `json:"outbox"`
	// Resent counts the requests that ended without a readable answer and were put off to be made again; Lost how often a
	// recipient's sender stopped without an outcome.
	Resent int64 `json:"resent"`
	Lost   int64 `json:"lost"`
	// Codes counts what ended by "status:code".
	Codes map[string]int64 `json:"codes,omitempty"`
	// Deadline is when whoever is left ends as expired; zero: never. Server's clock.
	Deadline time.Time `json:"deadline,omitzero"`
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
	listed := c.Claimed + c.Listed
	b := Books{
		Loaded:   max(listed, c.Accepted),
		Sent:     c.Ended[string(notification.StatusSent)],
		Failed:   c.Ended[string(notification.StatusFailed)],
		Skipped:  c.Ended[string(notification.StatusSkipped)],
		Expired:  c.Ended[string(notification.StatusExpired)],
		Unknown:  c.Ended[string(notification.StatusUnknown)],
		Waiting:  c.Listed + c.Back,
		InFlight: c.InFlight,
		Retrying: c.Retrying,
		Outbox:   c.Outbox,
		Resent:   c.Later[CauseAmbiguous],
		Lost:     c.Reaped,
		Codes:    c.Codes,
		Deadline: c.Deadline,
	}
	b.Missing = max(0, b.Loaded-b.Ended()-b.Open())
	return b
}

// MarshalJSON adds whether the books balance, so that nobody has to do the sum again.
func (b Books) MarshalJSON() ([]byte, error) {
	type fields Books
	return json.Marshal(struct {
		fields
		Balanced bool `json:"balanced"`
	}{fields(b), b.Balanced()})
}

// Ended counts the recipients whose outcome is known for good.
func (b Books) Ended() int64 { return b.Sent + b.Failed + b.Skipped + b.Expired + b.Unknown }

// Open counts the recipients that have not ended and are not lost.
func (b Books) Open() int64 { return b.Waiting + b.InFlight + b.Retrying }

// Balanced tells that everybody who was loaded is accounted for. A part below zero belies a sum that is right: somebody has deleted
// or changed the counts.
func (b Books) Balanced() bool {
	parts := []int64{b.Sent, b.Failed, b.Skipped, b.Expired, b.Unknown, b.Waiting, b.InFlight, b.Retrying}
	return slices.Min(parts) >= 0 && b.Loaded == b.Ended()+b.Open()
}
