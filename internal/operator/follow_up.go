package operator

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"iter"
	"net/url"
	"strconv"
	"strings"
	"time"

	"fanfare/internal/audience"
	"fanfare/internal/campaign"
	"fanfare/internal/notification"
	"fanfare/internal/store"
)

// LoadFrom loads the users of a campaign's outcomes into another campaign, each once and in the
// order of their ids. Users who are suppressed, and those who have had as many pushes as the caps
// allow, are left out. Tokens are looked up again, and placeholders filled from the profile.
//
// It is a load like that of a file, and returns the same errors. It also returns a *FromError and a
// *NothingMatchesError. An interrupted one continues behind the last user that was loaded, with the
// same moment as the limit of the outcomes, whatever has changed meanwhile.
func (o *Operator) LoadFrom(ctx context.Context, id, from string, f store.Filter, opts LoadOptions) (LoadSummary, error) {
	if _, err := o.Outcomes(ctx, from, f); err != nil {
		return LoadSummary{}, &FromError{err}
	}
	reading, stop := context.WithCancel(ctx)
	defer stop()
	users := &outcomeUsers{filter: f, name: sourceName(from, f, opts), started: make(chan struct{}), written: make(chan struct{})}
	users.r, users.w = io.Pipe()
	users.list = func(f store.Filter) iter.Seq2[notification.Result, error] {
		return o.deps.Records.CampaignDeliveries(reading, from, f)
	}
	opts.source = users
	summary, err := o.LoadAudience(ctx, id, users, opts)
	stop()
	_ = users.r.Close() // ends a writer that waits
	users.wait()
	if nothing, ok := errors.AsType[*NothingMatchesError](err); ok {
		nothing.From = from
		return summary, nothing
	}
	if err == nil {
		err = o.addUnwritten(ctx, from, &summary)
	}
	return summary, err
}

// sourceName tells a load from others of which it is no continuation.
func sourceName(from string, f store.Filter, opts LoadOptions) string {
	name := url.Values{"from": {from}, "status": {string(f.Status)}, "code": {f.Code}, "older": {f.OlderThan.String()}}
	if opts.Where != nil {
		name.Set("where", opts.Where.String())
	}
	return name.Encode()
}

// outcomeUsers are the users of outcomes as an audience. It is opened when the load knows where to
// begin.
type outcomeUsers struct {
	name   string
	filter store.Filter
	list   func(store.Filter) iter.Seq2[notification.Result, error]
	rows   audience.Reader // nil before the first element
	r      *io.PipeReader
	w      *io.PipeWriter

	started, written chan struct{}
}

// begin starts to read, behind what an interrupted load has loaded.
func (u *outcomeUsers) begin(l *campaign.Loader) {
	position, resumed := l.Resume(u.name)
	if resumed {
		until, after, _ := strings.Cut(position, ":")
		ms, _ := strconv.ParseInt(until, 10, 64)
		u.filter.After = after
		if ms > 0 {
			u.filter.Until = time.UnixMilli(ms)
		}
	}
	close(u.started)
	go func() {
		defer close(u.written)
		n, err := writeUsers(u.w, u.list(u.filter))
		if err == nil && n == 0 && !resumed {
			err = &NothingMatchesError{Filter: u.filter}
		}
		u.w.CloseWithError(err) // nil ends the text
	}()
}

// wait waits for what begin started.
func (u *outcomeUsers) wait() {
	select {
	case <-u.started:
		<-u.written
	default:
	}
}

// mark has the loader note how far the outcomes are read once a batch is pushed.
func (u *outcomeUsers) mark(l *campaign.Loader, batch [][]byte, _ audience.Place) {
	until := int64(0)
	if !u.filter.Until.IsZero() {
		until = u.filter.Until.UnixMilli()
	}
	var last struct{ UserID string }
	_ = json.Unmarshal(batch[len(batch)-1], &last) // writeUsers wrote it
	l.Mark(u.name, strconv.FormatInt(until, 10)+":"+last.UserID)
}

// Next implements audience.Reader.
func (u *outcomeUsers) Next(dst []byte) (_ []byte, err error) {
	if u.rows == nil {
		if u.rows, err = audience.Open(u.r, audience.Options{Format: audience.NDJSON}); err != nil {
			return dst, err
		}
	}
	return u.rows.Next(dst)
}

// Line implements audience.Reader.
func (u *outcomeUsers) Line() int {
	if u.rows == nil {
		return 0
	}
	return u.rows.Line()
}

// Hints implements audience.Reader.
func (u *outcomeUsers) Hints() []string { return nil }

// writeUsers writes the elements of users, and each user once. Outcomes of one user follow each
// other.
func writeUsers(w io.Writer, outcomes iter.Seq2[notification.Result, error]) (n int64, err error) {
	last, element := "", []byte(nil)
	for r, err := range outcomes {
		if err != nil {
			return n, err
		}
		if n > 0 && r.UserID == last {
			continue
		}
		last = r.UserID
		element = append(campaign.EncodeRecipient(element[:0], notification.Recipient{UserID: r.UserID}), '\n')
		if _, err := w.Write(element); err != nil {
			return n, err
		}
		n++
	}
	return n, nil
}

// followUpSieves leave out the users who would get no push now.
func (o *Operator) followUpSieves(ctx context.Context, id string, opts LoadOptions) []sieve {
	suppressed := func(rows []*screened) (func(*LeftOut, int64), error) {
		var found map[string]bool
		err := patiently(ctx, opts.Patience, func() (err error) {
			found, err = o.deps.Suppressed.Find(ctx, usersOf(rows))
			return err
		})
		for _, row := range rows {
			row.out = found[row.user()]
		}
		return func(l *LeftOut, n int64) { l.Suppressed += n }, err
	}
	if o.deps.Caps == nil || o.isTransactional(ctx, id) {
		return []sieve{suppressed}
	}
	return []sieve{suppressed, func(rows []*screened) (func(*LeftOut, int64), error) {
		return func(l *LeftOut, n int64) { l.Capped += n }, patiently(ctx, opts.Patience, func() error { return o.markCapped(ctx, rows) })
	}}
}

// markCapped leaves out the users who have had as many pushes as a cap allows.
func (o *Operator) markCapped(ctx context.Context, rows []*screened) error {
	all, err := o.deps.Caps.Find(ctx, usersOf(rows))
	if err != nil {
		return err
	}
	for i, usages := range all {
		for _, usage := range usages {
			rows[i].out = rows[i].out || usage.Used >= usage.Cap.Count
		}
	}
	return nil
}

// isTransactional reports whether a campaign is known to be exempt from caps.
func (o *Operator) isTransactional(ctx context.Context, id string) bool {
	spec, err := o.deps.Campaigns.Get(ctx, id)
	return err == nil && spec.Kind == campaign.Transactional
}
