package operator

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"

	"fanfare/internal/audience"
	"fanfare/internal/campaign"
	"fanfare/internal/content"
	"fanfare/internal/notification"
)

// progressEvery is after how many lines an import reports its progress.
const progressEvery = 1000

// ImportOptions controls how the addresses of an audience are imported.
type ImportOptions struct {
	Format    audience.Format
	Separator rune // of the CSV columns; zero detects it from the first line
	// MaxElement is the longest element that a load would accept, in bytes; default
	// queue.DefaultMaxElement.
	MaxElement int
	// Progress, if set, is called with the number of lines read. Only one goroutine calls it.
	Progress func(read int64)
}

// ImportTokens stores the addresses of an audience in Redis. Lines without a user or an address,
// and those with an address that cannot be one, are left out and named in the summary. An
// interrupted import can simply be repeated.
func (o *Operator) ImportTokens(ctx context.Context, r io.Reader, opts ImportOptions) (LoadSummary, error) {
	start := o.now()
	rows, err := audience.Open(r, audience.Options{Format: opts.Format, Separator: opts.Separator, StrictAddresses: true, MaxElement: opts.MaxElement})
	if err != nil {
		return LoadSummary{}, err
	}
	i := importer{rows: rows, progress: opts.Progress}
	imported, err := o.deps.Tokens.Import(ctx, func(yield func(string, notification.Device) bool) {
		i.each(ctx, func(element []byte) (problem string, more bool) {
			user, devices, problem := readDevices(element)
			for _, d := range devices {
				if !yield(user, d) {
					return problem, false
				}
			}
			return problem, true
		})
	})
	summary := LoadSummary{Loaded: int64(imported), Rejected: i.rejected.count, Errors: i.rejected.rows, Hints: rows.Hints(), Took: Elapsed{o.now().Sub(start)}}
	switch err := errors.Join(i.err, err); {
	case err != nil:
		return summary, fmt.Errorf("%w: %d addresses are stored; repeating the import does no harm", err, imported)
	case imported == 0 && summary.Rejected > 0:
		return summary, ErrNoToken
	}
	return summary, nil
}

// importer reads the lines of a file for an import, and counts them.
type importer struct {
	rows     audience.Reader
	progress func(int64)
	read     int64
	rejected rejects
	err      error // why reading stopped
}

// each calls use for each element until the file ends or the consumer stops. use says what is wrong
// with an element, and whether the consumer wants more.
func (i *importer) each(ctx context.Context, use func(element []byte) (problem string, more bool)) {
	var text []byte
	for i.err == nil {
		if i.err = context.Cause(ctx); i.err != nil {
			return
		}
		var err error
		text, err = i.rows.Next(text[:0])
		if row, ok := errors.AsType[audience.RowError](err); ok {
			i.rejected.add(row)
			continue
		}
		if errors.Is(err, io.EOF) {
			return
		}
		if err != nil {
			i.err = fmt.Errorf("after line %d: %w", i.rows.Line(), err)
			return
		}
		problem, more := use(text)
		switch {
		case problem != "":
			i.rejected.add(audience.RowError{Line: i.rows.Line(), Problem: problem})
			continue
		case !more:
			return
		}
		if i.read++; i.progress != nil && i.read%progressEvery == 0 {
			i.progress(i.read)
		}
	}
}

// importedRow has the addresses of an element as they are written. The dispatcher takes what it can
// use of them; an import refuses the line.
type importedRow struct {
	FID   string `json:"fid"`
	Token string `json:"fcmToken"`
}

// readDevices reads the user and the addresses of an element.
func readDevices(element []byte) (user string, devices []notification.Device, problem string) {
	r, err := campaign.DecodeRecipient(element)
	var raw importedRow
	if err == nil {
		err = json.Unmarshal(element, &raw)
	}
	if err != nil {
		return "", nil, audience.ProblemOf(err)
	}
	if problem := audience.AddressProblem(notification.ParseFID(raw.FID), notification.ParseToken(raw.Token)); problem != "" {
		return "", nil, problem
	}
	devices = r.Devices
	if !r.Target.IsZero() {
		devices = []notification.Device{{Target: r.Target, Platform: r.Platform, Locale: r.Locale}}
	}
	for i, d := range devices {
		if problem := cmp.Or(d.Problem, d.Target.Problem(), content.LocaleProblem(cmp.Or(d.Locale, r.Locale))); problem != "" {
			return "", nil, fmt.Sprintf("address %d cannot be used: %s", i+1, problem)
		}
		devices[i].Platform, devices[i].Locale = cmp.Or(d.Platform, r.Platform), cmp.Or(d.Locale, r.Locale)
	}
	if len(devices) == 0 {
		problem = "has no address"
	}
	return r.UserID, devices, problem
}
