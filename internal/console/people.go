package console

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"time"

	"fanfare/internal/notification"
	"fanfare/internal/operator"
	"fanfare/internal/pacing"
	"fanfare/internal/redact"
	"fanfare/internal/responses"
)

// peopleContent is the page of one user's story, or the search for one.
type peopleContent struct {
	User    string // "" shows the search only
	Problem string // why the search was refused
	Read    string // when it was read, and how long that took

	Tiles   []tile
	Records records
	Story   []event
	Older   bool // there are older outcomes than the story has

	Caps        []personCap // nil without caps
	CapsProblem string      // why they are unknown

	Suppressed        bool
	SuppressedProblem string // why that is unknown

	Token   personToken
	Devices []personDevice // nil if a registration token is all that is known
	Removed []removedAddress
	// RemovedProblem says why removed addresses are unknown.
	RemovedProblem string
	Profile        string // JSON, "" if there is none
	// ProfileProblem says why the profile is unknown.
	ProfileProblem string
	Open           []openCampaign
	OpenMore       int
	OpenKnown      bool  // no open campaign has an outcome for the user
	Unwritten      int64 // outcomes of all people that are not in SQL yet
	Letters        []personLetter
	LettersAll     int64
	LettersURL     string
	ReplayURL      string // the dialog
	RevealURL      string // the dialog
	Operate        bool
}

// records says what SQL knows. Problem is set if it cannot be asked.
type records struct {
	Configured bool
	Problem    string
}

// openCampaign is a campaign that has not ended and has no outcome for the user.
type openCampaign struct {
	Name, URL string
	State     shownState
	N         int64 // people who wait in it
}

// personLetter is a dead letter of the user.
type personLetter struct{ Code, Campaign, When, Reason string }

// outcomesShown limits the story. The command line shows more.
const outcomesShown = 500

// maxUser limits the bytes of a user's id in an address.
const maxUser = 1024

// openShown limits the campaigns that are named as still open.
const openShown = 6

// lettersOfPerson limits the dead letters that are listed; the page links to all.
const lettersOfPerson = 5

// peopleURL is the page of a user.
func (c *Console) peopleURL(user string) string {
	return c.opts.Prefix + "/people?" + url.Values{"user": {user}}.Encode()
}

// revealURL is the dialog that reveals a user's token.
func (c *Console) revealURL(user string) string {
	return c.opts.Prefix + "/people/reveal?" + url.Values{"user": {user}}.Encode()
}

// isTokenLike reports whether a text is a registration token rather than a user's id.
func isTokenLike(text string) bool {
	return len(text) >= 100 && strings.Contains(text, ":") && notification.ParseToken(text).IsSendable()
}

// showPeople serves the page. A token that someone typed as an id is sent away from the address, so
// that neither the browser's history nor a log keeps it.
func (c *Console) showPeople(w http.ResponseWriter, r *http.Request) {
	if isTokenLike(r.URL.Query().Get("user")) {
		http.Redirect(w, r, c.opts.Prefix+"/people?problem=token", http.StatusSeeOther)
		return
	}
	c.page("people", c.peopleModel).ServeHTTP(w, r)
}

// peopleModel answers ?user=id. A story is read once: it has no part that a stream would renew.
func (c *Console) peopleModel(ctx context.Context, s *Snapshot, r *http.Request) (any, string, error) {
	out := peopleContent{User: strings.TrimSpace(r.URL.Query().Get("user")), Operate: viewerOf(r).Operate}
	if len(out.User) > maxUser {
		out.User, out.Problem = "", "No user’s id is that long."
	}
	if r.URL.Query().Get("problem") == "token" {
		out.Problem = "That is a registration token, not a user’s id. Tokens do not belong in an address. Search for the id."
	}
	if out.User == "" {
		return out, "People", nil
	}
	if wantsStream(r) || wantsJSON(r) {
		return out, out.User, nil
	}
	began := time.Now()
	user, recordsErr := c.deps.System.User(ctx, out.User, outcomesShown)
	letters, all, err := c.letters.find(ctx, c.deps.Letters, responses.Filter{User: out.User}, c.now())
	if err != nil {
		return nil, "", err
	}
	out.Read = clock(s.At, s.At) + fmt.Sprintf(" UTC, in %d ms", time.Since(began).Milliseconds())
	out.Records = records{Configured: user.Recorded}
	if recordsErr != nil {
		out.Records.Problem = redact.Text(recordsErr.Error())
	}
	out.Older = user.More
	out.Story = c.storyOf(user, s)
	out.Suppressed = user.Suppressed
	if user.SuppressedErr != nil {
		out.SuppressedProblem = redact.Text(user.SuppressedErr.Error())
	}
	out.Caps = personCapsOf(user, s.At)
	if user.CapsErr != nil {
		out.CapsProblem = redact.Text(user.CapsErr.Error())
	}
	out.Token = tokenOf(user)
	if user.HasDevices() || len(user.Removed) > 0 {
		out.Devices = personDevicesOf(user, s.At)
	}
	out.Removed = c.removedOf(user, s)
	if user.RemovedErr != nil {
		out.RemovedProblem = redact.Text(user.RemovedErr.Error())
	}
	out.Profile, out.ProfileProblem = profileOf(user)
	theirs := lettersFilter{User: out.User}
	out.LettersAll, out.LettersURL, out.ReplayURL = all, c.lettersURL("", theirs), c.lettersURL("/replay", theirs)
	out.RevealURL = c.revealURL(out.User)
	out.Letters = personLettersOf(letters, s.At)
	out.Unwritten = s.Backlog.Results
	out.Open, out.OpenMore = c.openFor(user, s)
	out.OpenKnown = user.Recorded && recordsErr == nil && !user.More
	out.Tiles = personTiles(user, out, s)
	return out, out.User, nil
}

func wantsJSON(r *http.Request) bool {
	return strings.HasPrefix(r.Header.Get("Accept"), "application/json")
}

// profileOf returns the profile as indented JSON.
func profileOf(u operator.User) (text, problem string) {
	if u.ProfileErr != nil {
		return "", redact.Text(u.ProfileErr.Error())
	}
	if u.Profile == nil {
		return "", ""
	}
	indented, err := json.MarshalIndent(u.Profile, "", "  ")
	if err != nil {
		return "", err.Error()
	}
	return string(indented), ""
}

func personLettersOf(found []responses.DeadLetter, now time.Time) []personLetter {
	var all []personLetter
	for _, l := range found[:min(len(found), lettersOfPerson)] {
		all = append(all, personLetter{l.Code(), l.Result.CampaignID, clock(l.At, now), clip(l.Reason, 200)})
	}
	return all
}

// openFor returns the campaigns that have not ended and have no outcome for the user. Redis keeps
// lists, which cannot be searched for a person, so the user may or may not wait in them.
func (c *Console) openFor(u operator.User, s *Snapshot) (open []openCampaign, more int) {
	has := make(map[string]bool)
	for _, o := range u.Outcomes {
		has[o.CampaignID] = true
	}
	for i := range s.Campaigns {
		each := &s.Campaigns[i]
		if each.Spec.State.HasEnded() || has[each.Spec.ID] || each.Books.CountOpen() == 0 {
			continue
		}
		if len(open) == openShown {
			more++
			continue
		}
		open = append(open, openCampaign{cmp.Or(each.Spec.Name, each.Spec.ID), c.campaignURL(each.Spec.ID), stateOf(each), each.Books.CountOpen()})
	}
	return open, more
}

// revealDialog asks before a token is shown.
func (c *Console) revealDialog(user string) dialog {
	return dialog{
		Action: "reveal", URL: c.revealURL(user), Keep: "Keep it masked", Do: "Reveal",
		Title: "Reveal the token of " + user + "?", Text: "Anyone who has it and the project’s credentials can send to this person. The project’s history records who looked.",
	}
}

func (c *Console) showPeopleDialog(w http.ResponseWriter, r *http.Request) {
	user := r.URL.Query().Get("user")
	if r.PathValue("action") != "reveal" || user == "" {
		c.notFound(w, r)
		return
	}
	c.renderDialog(w, r, c.revealDialog(user))
}

// actOnPeople reveals a token. It goes into the answer of a POST, never into an address or a log.
func (c *Console) actOnPeople(r *http.Request) (done, error) {
	user := r.URL.Query().Get("user")
	if r.PathValue("action") != "reveal" || user == "" {
		return done{}, &inputError{"There is no such action."}
	}
	found, err := c.deps.System.User(r.Context(), user, 1)
	switch {
	case found.TokenErr != nil:
		return done{}, found.TokenErr
	case found.Token.IsZero() && err != nil:
		return done{}, err
	case found.Token.IsZero():
		return done{}, &inputError{"No token is stored now."}
	}
	c.deps.Logger.Info("token revealed", "user", user, "who", viewerOf(r).Name)
	for _, project := range c.deps.Projects { // a token stays masked if that cannot be recorded
		if project.Pace == nil {
			continue
		}
		if err := project.Pace.Note(asActor(r, viewerOf(r)), pacing.NoteRevealed, "user "+user); err != nil {
			return done{}, err
		}
	}
	return done{Message: "Revealed. Reload the page to mask it again.", Reveal: found.Token.Text()}, nil
}
