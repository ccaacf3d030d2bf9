package console

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"fanfare/internal/campaign"
	"fanfare/internal/notification"
	"fanfare/internal/operator"
	"fanfare/internal/responses"
)

// letterDetail is one dead letter whole.
type letterDetail struct {
	Title  string
	Facts  []fact
	Letter string // JSON, indented
	Raw    string // the element itself, if it was unreadable
	Gone   bool   // it was replayed or purged meanwhile
	Close  string // the page without it
}

// detailRead is a letter that was looked up, and when. A letter that is gone is nil.
type detailRead struct {
	at     time.Time
	letter *responses.DeadLetter
}

// letterOf returns the row of a letter.
func (c *Console) letterOf(l responses.DeadLetter, s *Snapshot) letter {
	out := letter{
		ID: l.ID, When: clock(l.At, s.At), User: l.Result.UserID, URL: c.peopleURL(l.Result.UserID), Campaign: l.Result.CampaignID,
		Code: l.Code(), Reason: clip(l.Reason, 200), Tries: l.Result.Attempts,
	}
	if s.find(out.Campaign) != nil {
		out.CampaignURL = c.campaignURL(out.Campaign)
	}
	return out
}

// detailURL is the page of a filter, from a letter on, with one letter opened.
func (c *Console) detailURL(f lettersFilter, from, id string) string {
	q := f.values()
	if from != "" {
		q.Set("from", from)
	}
	q.Set("letter", id)
	return c.opts.Prefix + "/dead?" + q.Encode()
}

// detailOf returns the letter that is opened, nil if none is.
func (c *Console) detailOf(ctx context.Context, id string, s *Snapshot) (*letterDetail, error) {
	if id == "" {
		return nil, nil
	}
	l, err := c.letters.get(ctx, c.deps.Letters, id, c.now())
	if err != nil || l == nil {
		return &letterDetail{Title: "This letter is gone", Gone: true}, err
	}
	return describeLetter(l, s.At), nil
}

func describeLetter(l *responses.DeadLetter, now time.Time) *letterDetail {
	out := &letterDetail{Title: l.Result.UserID, Raw: rawText(l.Raw)}
	if out.Title == "" {
		out.Title = "No user"
	}
	out.Facts = []fact{
		{Label: "Code", Value: l.Code()},
		{Label: "Campaign", Value: orDash(l.Result.CampaignID)},
		{Label: "Reason", Value: orDash(clip(l.Reason, 1000))},
		{Label: "When", Value: clock(l.At, now) + " UTC"},
		{Label: "Id", Value: l.ID},
	}
	whole := *l
	whole.Raw = nil // it stands below, readable
	stored := responses.AppendDeadLetter(nil, &whole)
	var indented bytes.Buffer
	if json.Indent(&indented, stored, "", "  ") != nil {
		out.Letter = notification.AbbreviateIn(string(stored))
		return out
	}
	out.Letter = notification.AbbreviateIn(indented.String())
	return out
}

func orDash(text string) string {
	if text == "" {
		return "–"
	}
	return text
}

// maxRaw limits what is shown of a raw element.
const maxRaw = 16 << 10

// rawText makes an element readable: bytes that are no text are written as escapes, and tokens are
// masked.
func rawText(raw []byte) string {
	var text strings.Builder
	for rest := raw[:min(len(raw), maxRaw)]; len(rest) > 0; {
		r, size := utf8.DecodeRune(rest)
		switch {
		case r == utf8.RuneError && size == 1:
			fmt.Fprintf(&text, `\x%02x`, rest[0])
		case unicode.IsPrint(r) || r == '\n' || r == '\t':
			text.WriteRune(r)
		default:
			text.WriteString(strings.Trim(strconv.QuoteRune(r), "'"))
		}
		rest = rest[size:]
	}
	if len(raw) > maxRaw {
		fmt.Fprintf(&text, " … and %s more", plural(len(raw)-maxRaw, "byte", "bytes"))
	}
	return notification.AbbreviateIn(text.String())
}

// aboutLetters is the subject of replays.
const aboutLetters = "dead letters"

// defaultReplayRate is the rate that the dialog of a replay offers, in letters a second.
const defaultReplayRate = "500"

// beginReplay replays all letters that match, after a while in which it can be undone.
func (c *Console) beginReplay(r *http.Request, f lettersFilter) (done, error) {
	limit, err := campaign.ParseRate(strings.TrimSpace(r.PostFormValue("rate")))
	if err != nil {
		return done{}, &inputError{"The rate " + err.Error()}
	}
	next := &work{
		subject: aboutLetters, title: "Replay of " + f.words(), who: viewerOf(r).Name, now: c.now, of: "letters", ofOne: "letter",
		advice: "Letters that were not replayed are still here.",
	}
	err = c.works.begin(next, c.undoFor, func(ctx context.Context, w *work) (string, error) {
		defer c.letters.forget()
		if found, err := c.letters.count(ctx, c.deps.Letters, f.filter(), c.now()); err == nil {
			w.setAll(found.all)
		}
		sum, err := c.deps.System.Replay(ctx, f.filter(), operator.ReplayOptions{Rate: limit, Progress: func(s operator.ReplaySummary) {
			w.count(s.Replayed + s.NoToken + s.Skipped)
		}})
		return replayedText(sum), err
	})
	if err != nil {
		return done{}, err
	}
	return done{Message: "The replay begins in " + span(c.undoFor) + ".", Undo: c.opts.Prefix + "/works/" + next.id + "/stop"}, nil
}

func replayedText(sum operator.ReplaySummary) string {
	text := plural(sum.Replayed, "letter is", "letters are") + " on the way again."
	if kept := sum.NoToken + sum.Skipped; kept > 0 {
		text += " " + plural(kept, "is", "are") + " kept: no stored token, or their campaign is over."
	}
	return text
}
