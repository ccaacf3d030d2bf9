package campaign

import (
	"context"
	"fmt"
	"strings"
	"unicode"
)

// Advice about recipients without an outcome.
const (
	recreate = "find out who deleted its keys or let them expire; recipients without a result need another campaign"
	compare  = "its counts were deleted in Redis and start from there: check the results in SQL before you load anyone again"
)

func reload(id string) string {
	return "find out who deleted its keys or let them expire, then load the recipients without a result again: fanfare load " + Word(id) + " FILE --append"
}

func goOnLoading(id string) string {
	return "load the same file again to continue: fanfare load " + Word(id) + " FILE"
}

// Loss says which recipients of a campaign are missing or not loaded yet, and what to do about
// it.
type Loss struct {
	What   string `json:"what"`
	Advice string `json:"advice,omitempty"`
}

// Losses lists everything that is known to be missing from a campaign in this state. It is empty
// if the books balance and no load was interrupted.
func (b Books) Losses(id string, s State) []Loss {
	var all []Loss
	if b.Missing > 0 {
		all = append(all, Loss{fmt.Sprintf("%d of %d recipients went missing in Redis", b.Missing, b.Loaded), b.missingAdvice(id, s)})
	} else if b.Recount {
		all = append(all, Loss{"the campaign's counts were deleted or changed in Redis", compare})
	}
	if b.Interrupted > 0 {
		what := fmt.Sprintf("a load was interrupted after %d recipients", b.Interrupted)
		if b.Loading {
			what = fmt.Sprintf("a load is running or was just interrupted; %d recipients so far", b.Interrupted)
		}
		advice := goOnLoading(id)
		if s.Final() {
			advice = ""
		}
		all = append(all, Loss{what, advice})
	}
	return all
}

func (b Books) missingAdvice(id string, s State) string {
	switch {
	case b.Recount:
		return compare
	case s.Final():
		return recreate
	case b.Ended()+b.Open() == 0:
		return strings.TrimSuffix(reload(id), " --append") // no one can be sent to twice
	}
	return reload(id)
}

// Waive gives up the missing recipients and the rest of interrupted loads, so that the campaign
// can run without them.
func (c *Campaigns) Waive(ctx context.Context, id string, missing int64) error {
	k, err := c.keys(id)
	if err != nil {
		return wrap("waive recipients of", id, err)
	}
	_, _, err = c.run(ctx, waiveScript, k.inOrder(), missing)
	return wrap("waive recipients of", id, err)
}

// Word quotes the id of a campaign for a shell, if necessary.
func Word(id string) string {
	special := func(r rune) bool {
		return !unicode.IsLetter(r) && !unicode.IsDigit(r) && !strings.ContainsRune("_@%+=:,./-", r)
	}
	if id != "" && !strings.ContainsFunc(id, special) {
		return id
	}
	return "'" + strings.ReplaceAll(id, "'", `'\''`) + "'"
}
