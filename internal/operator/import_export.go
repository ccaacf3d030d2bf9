package operator

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"

	"fanfare/internal/audience"
	"fanfare/internal/notification"
	"fanfare/internal/profiles"
)

// ExportOptions controls how the export of another service is imported.
type ExportOptions struct {
	Service audience.Service
	DryRun  bool // stores nothing
	// Progress, if set, is called with the number of lines read. Only one goroutine calls it.
	Progress func(read int64)
}

// ExportSummary is the result of an import of an export, also of an interrupted one. Of a dry run,
// it has what would be stored if nothing was stored yet.
type ExportSummary struct {
	DryRun     bool  `json:"dryRun,omitempty"`
	Addresses  int64 `json:"addresses"`  // stored
	Profiles   int64 `json:"profiles"`   // stored: of users who had none
	Suppressed int64 `json:"suppressed"` // users who were not suppressed before
	// LeftOut counts the lines whose address is of no use, by reason.
	LeftOut  map[audience.Reason]int64 `json:"leftOut"`
	Rejected int64                     `json:"rejected"`
	Errors   []audience.RowError       `json:"errors,omitempty"` // the first of those rejected
	Hints    []string                  `json:"hints,omitempty"`
	Took     Elapsed                   `json:"seconds"`
}

// reasonTexts say why addresses are of no use, in the order in which the reader judges.
var reasonTexts = []struct {
	reason audience.Reason
	text   string
}{
	{audience.OtherChannel, "of another channel than FCM"}, {audience.NoUser, "without a user"}, {audience.OptedOut, "opted out"},
	{audience.Inactive, "inactive"}, {audience.NotToken, "no FCM token"},
}

// LeftOutText says how many addresses were left out, and why; "" if none was.
func (s ExportSummary) LeftOutText() string {
	var all []string
	for _, r := range reasonTexts {
		if n := s.LeftOut[r.reason]; n > 0 {
			all = append(all, Thousands(n)+" "+r.text)
		}
	}
	return strings.Join(all, ", ")
}

// ImportExport stores the addresses of another service's export as devices of their users. It
// stores profiles of users who have none, and suppresses users who opted out. Lines that cannot be
// read are left out and named. An interrupted import can simply be repeated. Memory does not depend
// on the size of the file.
//
// It returns a *audience.FileError before anything is stored, and ErrNoToken if no line can be
// read.
func (o *Operator) ImportExport(ctx context.Context, r io.Reader, opts ExportOptions) (ExportSummary, error) {
	start := o.now()
	export, err := audience.OpenExport(r, opts.Service)
	if err != nil {
		return ExportSummary{}, err
	}
	i := exportImport{o: o, opts: opts, summary: ExportSummary{DryRun: opts.DryRun, LeftOut: make(map[audience.Reason]int64), Hints: export.Hints()}}
	if o.deps.Profiles.IsInSQL() {
		i.summary.Hints = append(i.summary.Hints, "profiles are not stored: store.profile_query reads them from SQL")
	}
	read, err := i.run(ctx, export)
	s := &i.summary
	s.Rejected, s.Errors, s.Took = i.rejected.count, i.rejected.rows, Elapsed{o.now().Sub(start)}
	switch {
	case err != nil:
		return *s, fmt.Errorf("after line %d: %w: %s addresses are stored; repeating the import does no harm", export.Line(), err, Thousands(s.Addresses))
	case read == s.Rejected && s.Rejected > 0:
		return *s, ErrNoToken
	}
	return *s, nil
}

// exportImport is an import under way.
type exportImport struct {
	o        *Operator
	opts     ExportOptions
	summary  ExportSummary
	rejected rejects
}

// run reads and stores batches. It returns how many lines were read.
func (i *exportImport) run(ctx context.Context, export *audience.Export) (read int64, err error) {
	batch := make([]audience.Endpoint, 0, batchRows)
	for err == nil {
		if err := context.Cause(ctx); err != nil {
			return read, err
		}
		var e audience.Endpoint
		e, err = export.Next()
		if errors.Is(err, io.EOF) {
			break
		}
		if row, refused := errors.AsType[audience.RowError](err); refused {
			i.rejected.add(row)
			err = nil
		} else if err == nil {
			batch = append(batch, e)
		}
		if read++; i.opts.Progress != nil && read%progressEvery == 0 {
			i.opts.Progress(read)
		}
		if len(batch) == batchRows {
			if err := i.store(ctx, batch); err != nil {
				return read, err
			}
			batch = batch[:0]
		}
	}
	if err != nil && !errors.Is(err, io.EOF) {
		return read, errors.Join(err, i.store(ctx, batch))
	}
	return read, i.store(ctx, batch)
}

// store stores a batch. Users who opted out are suppressed before any address is stored.
func (i *exportImport) store(ctx context.Context, batch []audience.Endpoint) error {
	var gone []string
	var users []profiles.User
	var used []audience.Endpoint
	for _, e := range batch {
		if e.Reason != "" {
			i.summary.LeftOut[e.Reason]++
		} else {
			used = append(used, e)
		}
		switch {
		case e.Reason == audience.OptedOut:
			gone = append(gone, e.UserID)
		case e.Reason == "" && len(e.Profile) > 0:
			users = append(users, profiles.User{ID: e.UserID, Profile: e.Profile})
		}
	}
	if i.opts.DryRun {
		i.count(gone, users, used)
		return nil
	}
	added, err := i.o.deps.Suppressed.Add(ctx, gone...)
	i.summary.Suppressed += added
	if err != nil {
		return err
	}
	stored, err := i.o.deps.Tokens.Import(ctx, func(yield func(string, notification.Device) bool) {
		for _, e := range used {
			if !yield(e.UserID, e.Device) {
				return
			}
		}
	})
	i.summary.Addresses += int64(stored)
	if err != nil || len(users) == 0 || i.o.deps.Profiles.IsInSQL() {
		return err
	}
	n, err := i.o.deps.Profiles.Import(ctx, users)
	i.summary.Profiles += n
	return err
}

// count counts a batch of a dry run. A user may be counted once for each batch.
func (i *exportImport) count(gone []string, users []profiles.User, used []audience.Endpoint) {
	i.summary.Addresses += int64(len(used))
	slices.Sort(gone)
	i.summary.Suppressed += int64(len(slices.Compact(gone)))
	if i.o.deps.Profiles.IsInSQL() {
		return
	}
	ids := make(map[string]bool)
	for _, u := range users {
		ids[u.ID] = true
	}
	i.summary.Profiles += int64(len(ids))
}
