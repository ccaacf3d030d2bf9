package campaign

import (
	"context"
	"fmt"
	"strings"
)

// sourceNote is the field of counts about the loads of the campaign's source: "<digest> <load>"
// from the begin of a load on, then "<digest> done <rows>", or "<digest> waived <rows>".
const sourceNote = "source"

// SourceState says how much of a campaign's source is loaded.
type SourceState string

// The states of a source.
const (
	SourceNotLoaded SourceState = "not loaded"
	SourcePartial   SourceState = "partly loaded" // a load runs, or was interrupted
	SourceLoaded    SourceState = "loaded"
	SourceWaived    SourceState = "waived" // an operator started the campaign without the rest
)

// SourceProgress is how much of a campaign's source is loaded.
type SourceProgress struct {
	State      SourceState `json:"state"`
	Recipients int64       `json:"recipients"` // that were loaded from it
}

// sourceLoad is what counts say about the last load of a source.
type sourceLoad struct {
	digest string
	SourceProgress
}

func parseSourceLoad(notes map[string]string) sourceLoad {
	digest, rest, _ := strings.Cut(notes[sourceNote], " ")
	load, rows, _ := strings.Cut(rest, " ")
	s := sourceLoad{digest, SourceProgress{SourceNotLoaded, parseCount(rows)}}
	switch load {
	case "done":
		s.State = SourceLoaded
	case "waived":
		s.State = SourceWaived
	default:
		if p, ok := parseProgress(notes[progressNote+load]); ok {
			s.State, s.Recipients = SourcePartial, p.rows
		}
	}
	return s
}

// ProgressOf returns how much of a source is loaded. A load of another source, which the spec had
// before, does not count.
func (b Books) ProgressOf(s Source) SourceProgress {
	if s.IsZero() || b.source.digest != s.digest() {
		return SourceProgress{State: SourceNotLoaded}
	}
	return b.source.SourceProgress
}

// lacksSource reports whether a campaign has a source of which nothing is loaded.
func (b Books) lacksSource(s Source) bool {
	return !s.IsZero() && b.ProgressOf(s).State == SourceNotLoaded
}

// interruptedSource returns the source if a load of it has begun and is not done.
func (b Books) interruptedSource(s Source) Source {
	if b.ProgressOf(s).State != SourcePartial {
		return Source{}
	}
	return s
}

// adviceLoadSource names the command that loads, or continues to load, the source of a campaign.
func adviceLoadSource(id string) string { return "fanfare load " + ShellQuote(id) }

// LoadCommand is the command that loads, or continues to load, the source of a campaign. It adds
// to an audience that is there already, such as a part of the source before.
func (b Books) LoadCommand(s Spec) string {
	command := adviceLoadSource(s.ID)
	if b.Loaded > 0 && b.lacksSource(s.Source) {
		command += " --append"
	}
	return command
}

// partlyLoaded refuses another source for a campaign whose present one is loaded in part. The rest
// of that could not be loaded then.
func partlyLoaded(id, rows string) *SpecError {
	return &SpecError{ID: id, Field: fieldSource, Problem: fmt.Sprintf(
		"cannot change: %s recipients of it are loaded, and its load is not done; finish it with %s, or give the rest up: with --partial, or with fanfare campaign start %s --partial", rows, adviceLoadSource(id), ShellQuote(id))}
}

// giveUpLoads closes the interrupted loads of a campaign, so that its source can change. What they
// have pushed stays. A load that runs would push the rest all the same, so it is refused.
func (c *Campaigns) giveUpLoads(ctx context.Context, id string, k campaignKeys) error {
	books, err := c.Books(ctx, id)
	if err != nil {
		return err
	}
	if books.Loading {
		return &SpecError{ID: id, Field: fieldSource, Problem: "cannot change while it is loaded: stop the load first, or wait for half a minute after it was killed"}
	}
	_, _, err = c.run(ctx, waiveScript, k.scriptKeys(), "", c.actor(ctx), "")
	return err
}
