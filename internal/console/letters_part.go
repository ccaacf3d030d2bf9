package console

import (
	"context"
	"fmt"
	"time"

	"fanfare/internal/operator"
	"fanfare/internal/responses"
)

// lettersPart is a part of the letters that match, the newest first.
type lettersPart struct {
	Letters []responses.DeadLetter
	All     int64 // letters that match
	First   int64 // the place of the first one among them, from 1
	// Newer and Older begin the parts beside this one. Older is "" if this part is the last. With
	// HasNewer, a Newer of "" is the newest part of all.
	HasNewer     bool
	Newer, Older string
	Gone         bool // the letter that was to begin it is gone, so it is the newest part
}

// part returns lettersShown of the letters that match, from the one with an id on. Without an id
// they are the newest.
func (x *letterIndex) part(ctx context.Context, letters Letters, f responses.Filter, from string, now time.Time) (lettersPart, error) {
	x.mu.Lock()
	defer x.mu.Unlock()
	if err := x.refresh(ctx, letters, now); err != nil {
		return lettersPart{}, err
	}
	var matching []int32
	start := 0
	for i := range x.all {
		l := x.all[i].letter()
		if !f.Matches(&l) {
			continue
		}
		if from != "" && l.ID == from {
			start = len(matching)
		}
		matching = append(matching, int32(i)) //nolint:gosec // Redis keeps far fewer letters
	}
	return x.cut(matching, start, from), nil
}

// cut returns the part of the matching letters that begins at a place.
func (x *letterIndex) cut(matching []int32, start int, from string) lettersPart {
	out := lettersPart{All: int64(len(matching)), HasNewer: start > 0}
	if len(matching) == 0 {
		out.Gone = from != ""
		return out
	}
	out.First, out.Gone = int64(start+1), from != "" && x.all[matching[start]].id != from
	if start > lettersShown {
		out.Newer = x.all[matching[start-lettersShown]].id
	}
	if start+lettersShown < len(matching) {
		out.Older = x.all[matching[start+lettersShown]].id
	}
	for _, i := range matching[start:min(len(matching), start+lettersShown)] {
		out.Letters = append(out.Letters, x.all[i].letter())
	}
	return out
}

// lettersRange says which of the letters a page shows, and leads to the others.
type lettersRange struct {
	Text         string // "" if none match, which the table says
	Newer, Older string // addresses; "" for none
	Gone         bool
}

func (c *Console) rangeOf(part lettersPart, f lettersFilter) lettersRange {
	out := lettersRange{Gone: part.Gone}
	if n := int64(len(part.Letters)); n > 0 {
		out.Text = fmt.Sprintf("%s to %s of %s, newest first. Actions apply to all that match.",
			operator.Thousands(part.First), operator.Thousands(part.First+n-1), operator.Thousands(part.All))
	}
	if part.HasNewer {
		out.Newer = c.partURL(f, part.Newer)
	}
	if part.Older != "" {
		out.Older = c.partURL(f, part.Older)
	}
	return out
}

// partURL is the page of a filter from a letter on; "" is the newest.
func (c *Console) partURL(f lettersFilter, from string) string {
	if from == "" {
		return c.lettersURL("", f)
	}
	q := f.values()
	q.Set("from", from)
	return c.opts.Prefix + "/dead?" + q.Encode()
}
