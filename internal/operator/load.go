package operator

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"time"

	"fanfare/internal/audience"
	"fanfare/internal/campaign"
	"fanfare/internal/where"
)

const (
	// DefaultPatience is how long a load waits for an unreachable Redis.
	DefaultPatience = 30 * time.Second
	// lastReplyTimeout is how long an interrupted load waits for the reply to its last batch.
	lastReplyTimeout = 10 * time.Second
)

// LoadOptions controls how an audience is loaded.
type LoadOptions struct {
	Format audience.Format
	// Separator of the CSV columns; zero detects it from the first line.
	Separator rune
	// Append adds to an existing audience; without it, such a load is refused.
	Append bool
	// Skip ignores the first recipients of the file. Without it, loading the same file again
	// continues an interrupted load.
	Skip int64
	// Where leaves out the recipients that do not fit it; nil: no one. With it, Skip counts the
	// others alone.
	Where *where.Filter
	// MaxElement is the longest element that the dispatcher accepts, in bytes; see
	// audience.Options.
	MaxElement int
	// Patience is how long the load waits for an unreachable Redis; default DefaultPatience.
	Patience time.Duration
	// Hold is how many recipients of the campaign may be in Redis without an outcome. The load
	// waits while that many are. 0 means no limit.
	Hold int64
	// OnHold, if set, is called when the load begins to wait, and again if the state of the
	// campaign changes meanwhile.
	OnHold func(campaign.State)
	// Of is the campaign's source, if that is what is loaded. Books say how much of it is.
	Of     campaign.Source
	source placedSource // what LoadFrom and LoadQuery read; nil for files
	// Pace tells, after the load of a scheduled draft, whether its waves fit; nil: that is not
	// checked.
	Pace FindPace
	// Progress, if set, is called after each batch with the number of loaded recipients. Only one
	// goroutine calls it.
	Progress func(loaded int64)
}

// placedSource is an audience that knows its place, so an interrupted load of it continues there.
type placedSource interface {
	// begin starts to read, behind what an interrupted load has loaded.
	begin(l *campaign.Loader)
	// mark has the loader note how far the source is read once a batch is pushed. place is that of
	// its last element.
	mark(l *campaign.Loader, batch [][]byte, place audience.Place)
}

func (o LoadOptions) withDefaults() LoadOptions {
	o.Patience = cmp.Or(o.Patience, DefaultPatience)
	return o
}

// Load reads an audience and appends it to a campaign's list. See LoadAudience.
func (o *Operator) Load(ctx context.Context, id string, r io.Reader, opts LoadOptions) (LoadSummary, error) {
	rows, err := audience.Open(r, audience.Options{Format: opts.Format, Separator: opts.Separator, MaxElement: opts.MaxElement})
	if err != nil {
		return LoadSummary{}, err
	}
	return o.LoadAudience(ctx, id, rows, opts)
}

// LoadAudience appends an audience to a campaign's list. Invalid lines are left out and named in
// the summary. Memory use does not depend on the size of the audience. The load waits for a lost
// connection to Redis, and never loads a batch twice.
//
// It returns a *audience.FileError (also if Skip exceeds the file), an error of the campaign that
// refuses an audience, an *InterruptedError, or ErrNoRecipient.
func (o *Operator) LoadAudience(ctx context.Context, id string, rows audience.Reader, opts LoadOptions) (LoadSummary, error) {
	l := load{opts: opts.withDefaults()}
	start := o.now()
	l.summary.Hints = rows.Hints()
	var err error
	if l.loader, err = o.openLoad(ctx, id, opts.Append); err != nil {
		return l.summary, err
	}
	l.loader.LoadsSource(opts.Of)
	if opts.Skip > 0 {
		if err := l.loader.DisableResume(); err != nil {
			return l.summary, err
		}
	}
	if opts.source != nil {
		opts.source.begin(l.loader)
		l.summary.Passed = l.loader.CountSkipped()
	}
	err = l.run(ctx, rows, func(reading context.Context, opts LoadOptions) []sieve { return o.sieves(reading, id, opts) })
	l.summary.Took = Elapsed{o.now().Sub(start)}
	if err == nil {
		l.summary.Warning = o.warnUnfit(ctx, id, opts.Pace)
	}
	return l.summary, err
}

// load is one audience that is being loaded.
type load struct {
	opts    LoadOptions
	loader  *campaign.Loader
	summary LoadSummary
	unsure  int64
	heldIn  campaign.State // that OnHold was told
	held    bool
}

func (l *load) run(ctx context.Context, rows audience.Reader, sieves func(context.Context, LoadOptions) []sieve) error {
	reading, stop := context.WithCancel(ctx)
	defer stop()
	rows, screen := newScreen(rows, sieves(reading, l.opts))
	from := newBatcher(reading, rows, l.opts.Skip)
	err := l.send(ctx, from)
	l.summary.LeftOut = screen.count()
	if err == nil {
		l.summary.Hints = append(l.summary.Hints, l.opts.hints()...)
	}
	if closed := l.close(ctx, err == nil); err == nil {
		err = closed
	}
	switch {
	case errors.Is(err, campaign.ErrAudienceExists), errors.Is(err, campaign.ErrOtherAudience):
		return err
	case err != nil:
		return &InterruptedError{Err: err, Done: l.opts.Skip + l.loader.CountPushed(), Unsure: l.unsure}
	case from.skip > 0:
		return &audience.FileError{Problem: fmt.Sprintf("it has %s recipients, fewer than the %s to skip", Thousands(l.opts.Skip-from.skip), Thousands(l.opts.Skip))}
	case l.summary.Loaded+l.summary.Passed == 0 && l.summary.Rejected > 0:
		return ErrNoRecipient
	case l.summary.Loaded+l.summary.Passed == 0 && l.opts.Skip == 0 && l.summary.CountLeftOut() > 0:
		return &AllLeftOutError{l.summary.LeftOut}
	case l.summary.Loaded+l.summary.Passed == 0 && l.opts.Skip == 0:
		return &audience.FileError{Problem: "it has no recipients: nothing was loaded"}
	}
	return nil
}

// send appends batch by batch. After an interruption the current batch is completed, so that it
// is known how much was loaded.
func (l *load) send(ctx context.Context, from *batcher) error {
	var rejected rejects
	idle := time.NewTicker(campaign.RenewInterval)
	defer idle.Stop()
	for {
		select {
		case <-ctx.Done():
			return context.Cause(ctx)
		case <-idle.C: // nothing is pushed while the file is slow, or known recipients are skipped
			if _, err := l.renew(ctx, 0); err != nil {
				return err
			}
		case b, more := <-from.out:
			if !more || ctx.Err() != nil {
				return context.Cause(ctx)
			}
			rejected.count += b.rejected.count - int64(len(b.rejected.rows))
			rejected.add(b.rejected.rows...)
			l.summary.Rejected, l.summary.Errors = rejected.count, rejected.rows
			if len(b.elements) > 0 {
				if err := l.waitForRoom(ctx, int64(len(b.elements))); err != nil {
					return err
				}
				if err := l.append(ctx, b.elements, b.place); err != nil {
					return err
				}
			}
			if b.err != nil {
				return ignoreEOF(b.err)
			}
			from.recycle(b)
		}
	}
}

func ignoreEOF(err error) error {
	if errors.Is(err, io.EOF) {
		return nil
	}
	return err
}

// append sends one batch, and repeats it while Redis is unreachable. Redis recognises a batch
// that it has.
func (l *load) append(ctx context.Context, elements [][]byte, place audience.Place) error {
	if l.opts.source != nil {
		l.opts.source.mark(l.loader, elements, place)
	}
	err := l.call(ctx, func(asking context.Context) error { return l.loader.Append(asking, elements) })
	passed := l.loader.CountSkipped()
	l.summary.Loaded, l.summary.Passed = l.loader.CountAppended(), passed
	if err != nil {
		if isUnreachable(err) {
			l.unsure = int64(len(elements))
		}
		return err
	}
	if l.opts.Progress != nil {
		l.opts.Progress(l.summary.Loaded + passed)
	}
	return nil
}

// call makes a call to Redis, and repeats it while Redis is unreachable. An interruption does not
// cut it off.
func (l *load) call(ctx context.Context, ask func(asking context.Context) error) error {
	return patiently(ctx, l.opts.Patience, func() error {
		asking, cancel := context.WithTimeout(context.WithoutCancel(ctx), lastReplyTimeout)
		defer cancel()
		return ask(asking)
	})
}

// close ends the load. If it is done, the campaign may complete.
func (l *load) close(ctx context.Context, done bool) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), lastReplyTimeout)
	defer cancel()
	if !done {
		return l.loader.Abandon(ctx)
	}
	return l.loader.Close(ctx)
}

// LoadSummary is the result of a load, also of an interrupted one.
type LoadSummary struct {
	Loaded   int64 `json:"loaded"`
	Passed   int64 `json:"alreadyLoaded,omitempty"` // by an interrupted load that this one continued
	Rejected int64 `json:"rejected"`
	LeftOut
	Errors []audience.RowError `json:"errors,omitempty"` // the first of those rejected
	// Hints name columns that probably need another name.
	Hints []string `json:"hints,omitempty"`
	// Warning says that the waves of a scheduled draft do not fit into their windows.
	Warning string  `json:"warning,omitempty"`
	Took    Elapsed `json:"seconds"`
}

// Load returns ErrNoRecipient for a file with only rejected lines, and ImportTokens ErrNoToken.
var (
	ErrNoRecipient = errors.New("no line is a recipient: nothing was loaded")
	ErrNoToken     = errors.New("no line has a user and an address: nothing was stored")
)

// InterruptedError says how much an interrupted load has loaded. A load of the same audience
// continues it.
type InterruptedError struct {
	Err    error
	Done   int64 // recipients that are certainly loaded, including skipped ones
	Unsure int64 // more that may be loaded: the connection was lost before the reply
}

func (e *InterruptedError) Error() string {
	loaded := fmt.Sprintf("the first %d recipients are loaded", e.Done)
	if e.Done == 1 {
		loaded = "the first recipient is loaded"
	}
	switch {
	case e.Unsure > 0:
		return fmt.Sprintf("%v: %s, and perhaps the next %d", e.Err, loaded, e.Unsure)
	case e.Done > 0:
		return fmt.Sprintf("%v: %s", e.Err, loaded)
	}
	return e.Err.Error() + ": nothing is loaded"
}

func (e *InterruptedError) Unwrap() error { return e.Err }
