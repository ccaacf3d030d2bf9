package console

import (
	"cmp"
	"context"
	"iter"
	"maps"
	"net/http"
	"slices"
	"time"

	"fanfare/internal/operator"
	"fanfare/internal/responses"
)

// Letters are the dead letters; *responses.DeadLetters implements it.
type Letters interface {
	List(ctx context.Context, f responses.Filter) iter.Seq2[responses.DeadLetter, error]
	Get(ctx context.Context, id string) (responses.DeadLetter, error)
	Len(ctx context.Context) (int64, error)
	Dropped(ctx context.Context) (int64, error) // by the bounds, ever
	Purge(ctx context.Context, f responses.Filter) (removed int, err error)
}

// lettersContent is the page of dead letters: grouped by cause first, then the letters that match.
type lettersContent struct {
	Total     int64
	Dropped   int64 // older ones, by the bounds
	Campaigns int
	Age       string
	Causes    []cause
	Filter    lettersFilter
	Match     int64
	Letters   []letter
	Range     lettersRange
	// ReplayURL and PurgeURL are the dialogs for all that match, ExportURL is a file of them.
	ReplayURL, PurgeURL, ExportURL string

	Operate bool
	Works   []workView
	Problem string // why the filter selects nothing
	Letter  *letterDetail
}

// cause is all letters of one code.
type cause struct {
	Code, Meaning, URL, ReplayURL string
	N                             int64
	Bar                           bar
	Campaign, More                string
	Last, First                   string
	Advice                        advice
}

// advice says whether replaying helps.
type advice struct{ Tone, Icon, Answer, Why string }

// letter is one dead letter.
type letter struct {
	ID, When, User, URL, Campaign, CampaignURL, Code, Reason string
	Tries                                                    int
	DetailURL                                                string
	Current                                                  bool
}

// lettersShown limits the letters of a page; actions apply to all that match.
const lettersShown = 50

// meaningsOfCodes say what a code is and whether replaying such a letter helps.
var meaningsOfCodes = map[string]struct {
	meaning string
	advice  advice
}{
	"UNREGISTERED":           {"The app is gone from the device, or the token is dead", advice{"is-cancelled", "i-x", "Rarely", "Only those with a newer token"}},
	"INVALID_ARGUMENT":       {"FCM refuses the token, or a field", advice{"is-paused", "i-eye", "Look first", "The same token is refused again"}},
	"SENDER_ID_MISMATCH":     {"The token belongs to another Firebase project", advice{"is-cancelled", "i-x", "No", "Fails again in this project"}},
	"RETRIES_EXHAUSTED":      {"FCM gave no usable answer to all tries", advice{"is-completed", "i-check", "Yes", "Once FCM is well again"}},
	"MALFORMED":              {"The element in the list is no JSON object with a userId", advice{"is-paused", "i-eye", "Look first", "Fix the producer first"}},
	responses.CodeRefused:    {"SQL refused the row; the person was delivered to or not, as it says", advice{"is-paused", "i-eye", "Look first", "Only the row is missing"}},
	responses.CodeUnreadable: {"An element of the list of responses is no result", advice{"is-paused", "i-eye", "Look first", "Something else wrote it"}},
}

// lettersModel answers ?code=&campaign=&user=&reason=&since=&from=&letter=.
func (c *Console) lettersModel(ctx context.Context, s *Snapshot, r *http.Request) (any, string, error) {
	sums, all, err := c.letters.sums(ctx, c.deps.Letters, c.now())
	if err != nil {
		return nil, "", err
	}
	out := lettersContent{Total: all.total, Dropped: all.dropped, Age: ageText(s.At.Sub(all.at)), Filter: lettersFilterOf(r.URL.Query()), Operate: viewerOf(r).Operate}
	campaigns := make(map[string]bool)
	most := int64(0)
	for _, sum := range sums {
		most = max(most, sum.n)
		for id := range sum.campaigns {
			campaigns[id] = true
		}
	}
	out.Campaigns = len(campaigns)
	for _, code := range slices.SortedFunc(maps.Keys(sums), func(a, b string) int { return cmp.Or(cmp.Compare(sums[b].n, sums[a].n), cmp.Compare(a, b)) }) {
		out.Causes = append(out.Causes, c.causeOf(code, sums[code], most, s.At))
	}
	out.ReplayURL, out.PurgeURL, out.ExportURL = c.lettersURL("/replay", out.Filter), c.lettersURL("/purge", out.Filter), c.lettersURL("/export", out.Filter)
	if out.Problem = problemOf(out.Filter.check()); out.Problem != "" {
		return out, "Dead letters", nil
	}
	from, id := r.URL.Query().Get("from"), r.URL.Query().Get("letter")
	part, err := c.letters.part(ctx, c.deps.Letters, out.Filter.filter(), from, c.now())
	if err != nil {
		return nil, "", err
	}
	out.Match, out.Range = part.All, c.rangeOf(part, out.Filter)
	for _, l := range part.Letters {
		row := c.letterOf(l, s)
		row.DetailURL, row.Current = c.detailURL(out.Filter, from, l.ID), l.ID == id
		out.Letters = append(out.Letters, row)
	}
	out.Works = c.works.about(aboutLetters, c.now())
	out.Letter, err = c.detailOf(ctx, id, s)
	if err != nil {
		return nil, "", err
	}
	return out, "Dead letters", nil
}

func (c *Console) causeOf(code string, sum *causeSum, most int64, now time.Time) cause {
	known := meaningsOfCodes[code]
	only := lettersFilter{Code: code}
	out := cause{
		Code: code, Meaning: known.meaning, URL: c.lettersURL("", only), ReplayURL: c.lettersURL("/replay", only), N: sum.n,
		Bar: barTo("f-ink", code+": "+operator.Thousands(sum.n), sum.n, most), Last: clock(sum.last, now), First: clock(sum.first, now),
		Advice: known.advice,
	}
	if out.Advice.Answer == "" {
		out.Advice = advice{"is-paused", "i-eye", "Look first", "Read the reason of one"}
	}
	ids := slices.SortedFunc(maps.Keys(sum.campaigns), func(a, b string) int {
		return cmp.Or(cmp.Compare(sum.campaigns[b], sum.campaigns[a]), cmp.Compare(a, b))
	})
	out.Campaign = cmp.Or(ids[0], "–")
	switch {
	case len(ids) == 2:
		out.More = ids[1]
	case len(ids) > 2:
		out.More = ids[1] + ", " + operator.Thousands(len(ids)-2) + " more"
	}
	return out
}
