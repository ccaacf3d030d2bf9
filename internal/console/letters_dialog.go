package console

import (
	"cmp"
	"context"
	"maps"
	"net/http"
	"slices"
	"strings"

	"fanfare/internal/campaign"
	"fanfare/internal/notification"
	"fanfare/internal/operator"
)

// lettersDialog asks before a replay or a purge of all letters that match. The counts are those of
// the index; only a replay has to look up tokens.
func (c *Console) lettersDialog(ctx context.Context, action string, f lettersFilter) (dialog, error) {
	d := dialog{Action: action, URL: c.lettersURL("/"+action, f), Keep: "Leave them"}
	if err := f.check(); err != nil {
		return d, err
	}
	found, err := c.letters.count(ctx, c.deps.Letters, f.filter(), c.now())
	if err != nil {
		return d, err
	}
	which := f.words()
	switch action {
	case "replay":
		return d, c.askReplay(ctx, &d, f, found)
	case "purge":
		d.Title, d.Text = "Purge "+plural(found.all, "letter", "letters")+"?", "For "+which+". Their outcomes stay in SQL; the raw elements are gone."
		d.Effects = []effect{{"Deleted for good", found.all}, {"Campaigns whose history records it", int64(len(found.campaigns))}}
		d.Do, d.Type = "Purge "+operator.Thousands(found.all), operator.Thousands(found.all)
	default:
		return d, &inputError{"There is no such action."}
	}
	return d, nil
}

// askReplay fills the dialog of a replay.
func (c *Console) askReplay(ctx context.Context, d *dialog, f lettersFilter, found letterCounts) error {
	letters, err := c.letters.matching(ctx, c.deps.Letters, f.filter(), c.now())
	if err != nil {
		return err
	}
	matches, exact, err := c.deps.System.EstimateReplay(ctx, letters)
	if err != nil {
		return err
	}
	s, err := c.sampler.latest(ctx)
	if err != nil {
		return err
	}
	about := ""
	if !exact {
		about = "≈ "
	}
	d.Title = "Replay " + about + plural(matches.Replayed, "letter", "letters") + "?"
	d.Text = "For " + f.words() + ". Each person gets one more try, at the end of their campaign's list, with the token that is stored now." +
		" It waits ten seconds before the first batch, so that you can undo it."
	looked := []effect{{"Will be sent to again", matches.Replayed}, {"No stored token, kept", matches.NoToken}}
	d.Effects = []effect{{"Match", matches.Replayed + matches.Skipped + matches.NoToken}, {"Campaign is over or gone, kept", matches.Skipped}}
	if exact {
		d.Effects = slices.Insert(d.Effects, 1, looked...)
	} else {
		d.Estimates = looked
		d.Text += " They are many, so only the tokens of a sample were looked up: what begins with ≈ is estimated from it."
	}
	if found.maybeSent > 0 {
		d.Effects = append(d.Effects, effect{"May have got it already, so twice then", found.maybeSent})
	}
	if again := found.completed(s); len(again) > 0 {
		d.Effects = append(d.Effects, effect{"Completed campaigns that run again", int64(len(again))})
		d.Text += " " + nameSome(again) + " " + map[bool]string{true: "runs", false: "run"}[len(again) == 1] + " again."
	}
	d.Fields = []field{{Name: "rate", Label: "At most", Value: defaultReplayRate, Unit: "a second", Placeholder: "no limit", Numeric: true}}
	d.Do = "Replay " + about + operator.Thousands(matches.Replayed)
	return nil
}

// maybeSentCodes are those of pushes that FCM may have delivered without our knowing.
var maybeSentCodes = map[string]bool{notification.CodeGaveUp: true, notification.CodeOutcomeUnknown: true}

// letterCounts is what a filter selects, as the index knows it.
type letterCounts struct {
	all       int64
	maybeSent int64
	campaigns map[string]int64
}

// completed names the campaigns that a replay would wake, the one with the most letters first.
func (c letterCounts) completed(s *Snapshot) (names []string) {
	for _, id := range c.bySize() {
		if each := s.find(id); each != nil && each.Spec.State == campaign.Completed {
			names = append(names, cmp.Or(each.Spec.Name, id))
		}
	}
	return names
}

// bySize are the campaigns, the one with the most letters first.
func (c letterCounts) bySize() []string {
	return slices.SortedFunc(maps.Keys(c.campaigns), func(a, b string) int {
		return cmp.Or(cmp.Compare(c.campaigns[b], c.campaigns[a]), cmp.Compare(a, b))
	})
}

// namedCampaigns limits the names in a sentence.
const namedCampaigns = 3

func nameSome(names []string) string {
	if more := len(names) - namedCampaigns; more > 0 {
		return strings.Join(names[:namedCampaigns], ", ") + " and " + operator.Thousands(more) + " more"
	}
	return strings.Join(names, ", ")
}

func (c *Console) actOnLetters(r *http.Request) (done, error) {
	f := lettersFilterOf(r.URL.Query())
	if err := f.check(); err != nil {
		return done{}, err
	}
	defer c.letters.forget()
	switch r.PathValue("action") {
	case "replay":
		return c.beginReplay(r, f)
	case "purge":
		return c.purge(r, f)
	}
	return done{}, &inputError{"There is no such action."}
}

// purge deletes the letters of a filter, if the person typed how many they are.
func (c *Console) purge(r *http.Request, f lettersFilter) (done, error) {
	c.letters.forget() // the number has to be that of now
	found, err := c.letters.count(r.Context(), c.deps.Letters, f.filter(), c.now())
	if err != nil {
		return done{}, err
	}
	if number := operator.Thousands(found.all); r.PostFormValue("type") != number {
		return done{}, &inputError{"The number has changed to " + number + ". Type it to purge them."}
	}
	n, err := c.deps.Letters.Purge(r.Context(), f.filter())
	if n > 0 {
		c.notePurge(asActor(r, viewerOf(r)), f, found)
	}
	return done{Message: "Purged " + plural(n, "letter", "letters") + "."}, err
}

// notedCampaigns limits the histories that one purge or export writes into.
const notedCampaigns = 50

// noted are the campaigns whose histories record what was done with their letters.
func (c letterCounts) noted() []string {
	ids := slices.DeleteFunc(c.bySize(), func(id string) bool { return id == "" })
	return ids[:min(len(ids), notedCampaigns)]
}

// notePurge records a purge in the histories of the campaigns with the most letters. The letters
// are gone already, so a history that cannot be written is left to the log.
func (c *Console) notePurge(ctx context.Context, f lettersFilter, found letterCounts) {
	for _, id := range found.noted() {
		if err := c.deps.System.NotePurge(ctx, id, f.words(), found.campaigns[id]); err != nil {
			c.deps.Logger.Warn("purge not recorded in the history", "campaign", id, "letters", found.campaigns[id], "error", err)
			return
		}
	}
}
