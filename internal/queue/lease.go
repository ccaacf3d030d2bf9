package queue

import (
	"time"

	"github.com/google/uuid"
)

// NewClaimID makes up the id of a claim: a UUIDv7, so that claims sort by the time they were made.
func NewClaimID() string { return uuid.Must(uuid.NewV7()).String() }

// Element is one element of the list while it is leased.
type Element struct {
	Pos      int       // its place in the claim, for Settle
	ID       string    // given at its first claim, kept through retries and losses
	Attempts int       // as the last Settlement with Later said
	Lost     int       // how often a lease on it ran out
	Since    time.Time // of its first claim, server's clock
	Raw      []byte    // what the producer wrote; valid UTF-8 or JSON is not promised
	Oversize bool      // Raw is above Options.MaxElement
}

// Lease is what Claim handed out. Elements are in the order of the list; none when there was nothing to claim.
type Lease struct {
	Claim    string
	Elements []Element
	Until    time.Time // local and monotonic: before the call, plus the lease; beyond it, send nothing unless extended
	Now      time.Time // server's clock
	Deadline time.Time // server's clock: when the producer's list would have expired; zero if never
	Assumed  bool      // the Deadline is a default of Append's caller, and no producer's word
}

// Settlement ends one leased element, or puts it off.
type Settlement struct {
	Claim string
	Pos   int

	// Status and Code are what an ended element is counted under; Code may be empty. Emit is appended to Options.Emit.
	Status string
	Code   string
	Emit   []byte

	// MaxRare, where above 0, says that there may be any number of such codes: a new one is counted as OTHER when so many
	// of them are counted by name.
	MaxRare int

	// Later puts the element into the retry set instead, due In from the server's now, with that count of Attempts. It is
	// counted under Cause, unless that is empty.
	Later    bool
	In       time.Duration
	Attempts int
	Cause    string
}

// Counts are the books of one list, read at one moment:
// Claimed is the sum of Ended, Back, Retrying and InFlight, unless somebody deletes keys of the queue.
type Counts struct {
	Listed   int64 // waiting in the producer's list
	Back     int64 // given back or reaped, waiting
	Retrying int64
	InFlight int64            // held in leases
	Claimed  int64            // different elements ever claimed
	Accepted int64            // elements taken by Append
	Seen     int64            // the most elements there have been: those claimed and those listed
	Recalled int64            // Seen as the hash of the gate has it, which survives the counts
	Reaped   int64            // losses of a lease, counted by element
	Outbox   int64            // payloads in Options.Emit
	Ended    map[string]int64 // by Status
	Codes    map[string]int64 // by "Status:Code"
	Later    map[string]int64 // how often elements were put off, by Cause
	Deadline time.Time        // zero: none; server's clock
	Assumed  bool             // the Deadline is a default of Append's caller

	Now         time.Time         // server's clock
	LeasedUntil time.Time         // when the last lease ends; zero: there is none
	NextRetry   time.Time         // when the first retry is due; zero: none waits
	RetrySince  time.Time         // when the element of that retry was first claimed
	Notes       map[string]string // what other rooms keep beside the books
}
