package campaign

import (
	"context"
	"fmt"
	"strings"
	"unicode"
)

// Advice about recipients without an outcome.
const (
	adviceRecreate = "find out who deleted its keys or let them expire; recipients without a result need another campaign"
	adviceCompare  = "its counts were deleted in Redis and start from there: check the results in SQL before you load anyone again"
)

func adviceReload(id string) string {
	return "find out who deleted its keys or let them expire, then load the recipients without a result again: fanfare load " + ShellQuote(id) + " FILE --append"
}

// adviceContinueLoad says how to continue. A load whose source knows its place was of SQL.
func adviceContinueLoad(id string, source Source, placed bool) string {
	if !source.IsZero() {
		return "continue it with " + adviceLoadSource(id)
	}
	if placed {
		return "give the same command again to continue: fanfare load " + ShellQuote(id) + " with its --query or --from"
	}
	return "load the same file again to continue: fanfare load " + ShellQuote(id) + " FILE"
}

// Loss says which recipients of a campaign are missing or not loaded yet, and what to do about
// it.
type Loss struct {
	What   string `json:"what"`
	Advice string `json:"advice,omitempty"`
}

// Losses lists everything that is known to be missing from a campaign. It is empty if the books
// balance, no load was interrupted, and the source is loaded.
func (b Books) Losses(s Spec) []Loss {
	var all []Loss
	if b.Missing > 0 {
		all = append(all, Loss{fmt.Sprintf("%d of %d recipients went missing in Redis", b.Missing, b.Loaded), b.missingAdvice(s.ID, s.State)})
	} else if b.Recount {
		all = append(all, Loss{"the campaign's counts were deleted or changed in Redis", adviceCompare})
	}
	if b.lacksSource(s.Source) {
		advice := "load it: " + b.LoadCommand(s)
		if s.State.IsFinal() {
			advice = ""
		}
		all = append(all, Loss{"nothing of its source is loaded", advice})
	}
	if b.Interrupted > 0 {
		loaded := fmt.Sprintf("%d recipients", b.Interrupted)
		if b.Interrupted == 1 {
			loaded = "1 recipient"
		}
		if b.Load.IsHeld() {
			return all
		}
		what := "a load was interrupted after " + loaded
		if b.Loading {
			what = "a load is running or was just interrupted; " + loaded + " so far"
		}
		advice := adviceContinueLoad(s.ID, b.interruptedSource(s.Source), b.placed)
		if s.State.IsFinal() {
			advice = ""
		}
		all = append(all, Loss{what, advice})
	}
	return all
}

// IsIncomplete reports whether recipients are missing or not loaded yet, so that a draft must not
// start. A load that is held back continues only once the campaign runs.
func (b Books) IsIncomplete(s Spec) bool {
	return b.Missing > b.Waived || b.Interrupted > 0 && !b.Load.IsHeld() || b.lacksSource(s.Source)
}

func (b Books) missingAdvice(id string, s State) string {
	switch {
	case b.Recount:
		return adviceCompare
	case s.IsFinal():
		return adviceRecreate
	case b.CountEnded()+b.CountOpen() == 0:
		return strings.TrimSuffix(adviceReload(id), " --append") // no one can be sent to twice
	}
	return adviceReload(id)
}

// Waive gives up the missing recipients, and the rest of interrupted loads and of the source, so
// that the campaign can run without them.
func (c *Campaigns) Waive(ctx context.Context, s Spec, missing int64) error {
	k, err := c.keys(s.ID)
	if err != nil {
		return wrap("waive recipients of", s.ID, err)
	}
	_, _, err = c.run(ctx, waiveScript, k.scriptKeys(), missing, c.actor(ctx), s.Source.digest())
	return wrap("waive recipients of", s.ID, err)
}

// ShellQuote quotes the id of a campaign for a shell, if necessary.
func ShellQuote(id string) string {
	special := func(r rune) bool {
		return !unicode.IsLetter(r) && !unicode.IsDigit(r) && !strings.ContainsRune("_@%+=:,./-", r)
	}
	if id != "" && !strings.ContainsFunc(id, special) {
		return id
	}
	return "'" + strings.ReplaceAll(id, "'", `'\''`) + "'"
}
