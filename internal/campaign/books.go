package campaign

import (
	"context"
	"encoding/json"
	"maps"
	"strconv"
	"time"

	"fanfare/internal/notification"
	"fanfare/internal/queue"
)

// NoteTokenKept is the note of a settlement whose dead token was kept; see queue.Settlement.
const NoteTokenKept = "token_kept"

// Books are the figures of a campaign, read at one moment.
type Books struct {
	// Loaded counts every recipient known: the sum of claimed and listed ones, or what our loader
	// pushed if that is more.
	Loaded int64 `json:"loaded"`

	// Sent to Unknown count recipients that have ended, by status.
	Sent    int64 `json:"sent"`
	Failed  int64 `json:"failed"`
	Skipped int64 `json:"skipped"`
	Expired int64 `json:"expired"`
	Unknown int64 `json:"unknown"`

	// Waiting recipients are in the list or were put back, InFlight ones are leased, Retrying
	// ones have a due time.
	Waiting  int64 `json:"waiting"`
	InFlight int64 `json:"inFlight"`
	Retrying int64 `json:"retrying"`

	// Missing recipients were seen and are nowhere: Redis evicted them, or someone deleted a key.
	// After a loss of the counts, this includes recipients that had ended before.
	Missing int64 `json:"missing"`
	// Waived are missing recipients that an operator gave up: the campaign was started without
	// them.
	Waived int64 `json:"waived,omitempty"`
	// Recount reports whether the counts were deleted or changed once, and do not cover the
	// beginning.
	Recount bool `json:"recount,omitempty"`
	// Interrupted counts recipients of loads that have not finished. Loading reports whether one
	// of these loads may still be running.
	Interrupted int64 `json:"interrupted,omitempty"`
	Loading     bool  `json:"loading,omitempty"`
	// Load is the load whose process has the lease; nil: none.
	Load *RunningLoad `json:"load,omitempty"`
	// Outbox counts results that are not yet on their way to the responder.
	Outbox int64 `json:"outbox"`
	// Resent counts the requests without a readable answer that were scheduled again. Lost counts
	// how often a sender stopped without recording an outcome.
	Resent int64 `json:"resent"`
	Lost   int64 `json:"lost"`
	// TokensKept counts recipients with a dead token that stays stored, because too many died.
	TokensKept int64 `json:"tokensKept,omitempty"`
	// Moved counts registration tokens that died when their app moved to an installation ID, which
	// was tried in their place. No other figure includes them.
	Moved int64 `json:"moved,omitempty"`
	// Devices are the devices of all ended recipients; nil if no recipient had several.
	Devices *DeviceBooks `json:"devices,omitempty"`
	// Variants counts ended recipients by variant and status. With HeldOut and WithoutVariant they
	// add up to all ended recipients. HeldOut counts users of the hold-out group, also without
	// variants. WithoutVariant counts the others: their element is unreadable, or the campaign had
	// no variants when they were sent to. It is 0 while no recipient of a variant has ended.
	Variants       map[string]StatusCounts `json:"variants,omitempty"`
	HeldOut        int64                   `json:"heldOut,omitempty"`
	WithoutVariant int64                   `json:"withoutVariant,omitempty"`
	// Locales counts ended recipients by the language of their text and by status. "" is the base
	// language. Recipients without a text in any language are in none: they are held out, their
	// element is unreadable, or the campaign had no languages when they ended.
	Locales map[string]StatusCounts `json:"locales,omitempty"`
	// BadLocales counts ended recipients whose element or device has a locale that names no
	// language. It is counted for messages with languages.
	BadLocales int64 `json:"badLocales,omitempty"`
	// Waves are the waits for windows that have ended with a push, in the order of time.
	Waves []Wave `json:"waves,omitempty"`
	// WindowWaits counts how often recipients were put off until their window opens, or their quiet
	// hours end. BadZones counts ended recipients whose own time zone is unknown to us; the
	// campaign's was used.
	WindowWaits int64 `json:"windowWaits,omitempty"`
	BadZones    int64 `json:"badZones,omitempty"`
	// BadQuietHours counts ended recipients whose own quiet hours cannot be read; the campaign's
	// were used.
	BadQuietHours int64 `json:"badQuietHours,omitempty"`
	// Codes counts ended recipients by "status:code".
	Codes map[string]int64 `json:"codes,omitempty"`
	// Deadline is when all remaining recipients expire, by the server's clock; zero means never.
	// An Assumed deadline comes from Options.DefaultTTL, and the campaign's own goes before it.
	Deadline time.Time `json:"deadline,omitzero"`
	Assumed  bool      `json:"assumed,omitempty"`
	// NextRetry is when the first retry is due; zero means that none waits. ClockBack is how far
	// the Redis clock has gone back since that recipient was first claimed. Retries wait until
	// the clock has caught up.
	NextRetry time.Time     `json:"nextRetry,omitzero"`
	ClockBack time.Duration `json:"-"`

	now, leasedUntil time.Time // server's clock
	placed           bool      // an interrupted load is of a source that knows its place
	source           sourceLoad
}

// CauseAmbiguous is the cause of retries after a request without a readable answer.
const CauseAmbiguous = "ambiguous"

// Books reads the books of a campaign. An unknown campaign has empty books.
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

// positive leaves out the numbers that no count of ours can be: another program wrote them.
func positive(counts map[string]int64) map[string]int64 {
	kept := maps.Clone(counts)
	maps.DeleteFunc(kept, func(_ string, n int64) bool { return n < 0 })
	return kept
}

func booksOf(c queue.Counts) Books {
	ended := func(s notification.Status) int64 { return max(0, c.Ended[string(s)]) }
	b := Books{
		Sent:       ended(notification.StatusSent),
		Failed:     ended(notification.StatusFailed),
		Skipped:    ended(notification.StatusSkipped),
		Expired:    ended(notification.StatusExpired),
		Unknown:    ended(notification.StatusUnknown),
		Waiting:    c.Listed + c.Back,
		InFlight:   c.InFlight,
		Retrying:   c.Retrying,
		Outbox:     c.Outbox,
		Resent:     max(0, c.Later[CauseAmbiguous]),
		Lost:       max(0, c.Reaped),
		TokensKept: parseCount(c.Notes["note:"+NoteTokenKept]),
		Moved:      parseCount(c.Notes["note:"+NoteMoved]),
		Variants:   choicesOf(c.Notes, noteVariant),
		Locales:    choicesOf(c.Notes, noteLocale),
		BadLocales: parseCount(c.Notes["note:"+NoteBadLocale]),
		HeldOut:    max(0, c.Codes[string(notification.StatusSkipped)+":"+notification.CodeHoldout]),
		Waves:      wavesOf(c.Notes),
		Codes:      positive(c.Codes),
		Deadline:   c.Deadline,
		Assumed:    c.Assumed,
		NextRetry:  c.NextRetry,
		Waived:     parseCount(c.Notes["waived"]),
		now:        c.Now,

		WindowWaits: max(0, c.Later[CauseWindow]),
		BadZones:    parseCount(c.Notes["note:"+NoteBadZone]),

		BadQuietHours: parseCount(c.Notes["note:"+NoteBadQuiet]),

		leasedUntil: c.LeasedUntil,
	}
	seen := c.Seen
	if seen == 0 {
		seen = c.Accepted // written by a version that did not record seen
	}
	b.Loaded = max(seen, c.Recalled, c.Claimed+c.Listed, b.CountEnded()+b.CountOpen())
	b.Missing = b.Loaded - b.CountEnded() - b.CountOpen()
	b.Recount = c.Recalled > c.Seen || c.Notes["recount"] != ""
	b.ClockBack = max(0, c.RetrySince.Sub(c.Now))
	b.Devices = devicesOf(b, c.Notes)
	b.WithoutVariant = countWithoutVariant(b)
	b.source = parseSourceLoad(c.Notes)
	b.Load = parseLoading(c.Notes[loadingNote], c.Now)
	for load, p := range parseLoads(c.Notes) {
		b.Interrupted += p.rows
		b.placed = b.placed || p.place != ""
		b.Loading = b.Loading || parseCount(c.Notes[loadMark+load]) > c.Now.UnixMilli()
	}
	return b
}

// parseCount returns 0 for a value that is not a count.
func parseCount(text string) int64 {
	n, _ := strconv.ParseInt(text, 10, 64)
	return max(0, n)
}

// ListDeadline returns the deadline of the list. An assumed one is ignored if the campaign has
// its own.
func (b Books) ListDeadline(own time.Time) time.Time {
	if b.Assumed && !own.IsZero() {
		return time.Time{}
	}
	return b.Deadline
}

// HasLiveLeases reports whether a sender still holds recipients, and will record their outcomes.
func (b Books) HasLiveLeases() bool { return b.InFlight > 0 && b.leasedUntil.After(b.now) }

// UntilRetry returns how long the first retry still waits; 0 if it is due.
func (b Books) UntilRetry() time.Duration {
	if b.NextRetry.IsZero() {
		return 0
	}
	return max(0, b.NextRetry.Sub(b.now))
}

// MarshalJSON adds whether the books balance, so that readers need not add up.
func (b Books) MarshalJSON() ([]byte, error) {
	type fields Books
	return json.Marshal(struct {
		fields
		ClockBack float64 `json:"clockBackSeconds,omitempty"`
		Balanced  bool    `json:"balanced"`
	}{fields(b), b.ClockBack.Seconds(), b.IsBalanced()})
}

// CountEnded counts the recipients with a final outcome.
func (b Books) CountEnded() int64 { return b.Sent + b.Failed + b.Skipped + b.Expired + b.Unknown }

// AddEnded adds recipients that ended so.
func (b *Books) AddEnded(status notification.Status, n int64) {
	switch status {
	case notification.StatusSent:
		b.Sent += n
	case notification.StatusFailed:
		b.Failed += n
	case notification.StatusSkipped:
		b.Skipped += n
	case notification.StatusExpired:
		b.Expired += n
	default:
		b.Unknown += n
	}
}

// CountOpen counts the recipients that have not ended and are not missing.
func (b Books) CountOpen() int64 { return b.Waiting + b.InFlight + b.Retrying }

// IsBalanced reports whether every loaded recipient is accounted for, by counts that cover the
// beginning.
func (b Books) IsBalanced() bool {
	return b.Missing == 0 && !b.Recount && b.Loaded == b.CountEnded()+b.CountOpen()
}
