package console

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"fanfare/internal/notification"
	"fanfare/internal/operator"
	"fanfare/internal/redact"
	"fanfare/internal/responses"
	"fanfare/internal/tokens"
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

// personToken is the token as a push would use it now, masked.
type personToken struct{ State, Text, Note, Problem string }

// personDevice is one device of a user. Its address is masked. Problem says why nothing is sent to
// it.
type personDevice struct{ Address, Kind, Platform, Locale, LastUse, Ago, Problem string }

// removedAddress is the copy of an address that was removed as dead.
type removedAddress struct{ Address, Kind, At, Campaign, URL, Advice string }

// personCap is a cap with the pushes of the user that count now. Next is when the next push may go,
// Oldest when the oldest one stops counting; both "" if that does not apply.
type personCap struct {
	Name, Next, Oldest string
	Used, Count        int
	Bar                bar
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

func tokenOf(u operator.User) personToken {
	switch {
	case u.TokenErr != nil:
		return personToken{State: "Unknown", Problem: redact.Text(u.TokenErr.Error())}
	case u.Token.IsZero():
		return personToken{State: "None", Note: "in Redis and SQL"}
	case !u.Token.IsSendable():
		return personToken{State: "Not usable", Text: u.Token.String(), Note: "nothing is sent to it", Problem: u.Token.Problem()}
	}
	return personToken{State: "Stored", Text: u.Token.String(), Note: "what a push would use now"}
}

// personCapsOf lists the caps in the order of the settings.
func personCapsOf(u operator.User, now time.Time) []personCap {
	moment := func(at time.Time) string {
		if at.IsZero() {
			return ""
		}
		return clock(at, now) + " UTC, in " + span(at.Sub(now))
	}
	var all []personCap
	for _, each := range u.Caps {
		used, count, fill := int64(each.Used), int64(each.Cap.Count), "f-ink"
		if used >= count {
			fill = "f-retry"
		}
		all = append(all, personCap{
			Name: each.Cap.String(), Used: each.Used, Count: each.Cap.Count, Next: moment(each.FreesAt), Oldest: moment(each.OldestUntil),
			Bar: barTo(fill, fmt.Sprintf("%d of %d used", used, count), min(used, count), count),
		})
	}
	return all
}

// personDevicesOf lists the addresses that a push would use, the last used first.
func personDevicesOf(u operator.User, now time.Time) []personDevice {
	var all []personDevice
	for _, d := range u.Devices {
		device := personDevice{
			Address: d.Target.String(), Kind: operator.KindOf(d.Target), Platform: cmp.Or(d.Platform, "–"), Locale: cmp.Or(d.Locale, "–"),
			LastUse: "–", Problem: d.Target.Problem(),
		}
		if !d.LastSeen.IsZero() {
			device.LastUse, device.Ago = clock(d.LastSeen, now), span(now.Sub(d.LastSeen))+" ago"
		}
		all = append(all, device)
	}
	return all
}

// removedOf lists the copies of removed addresses, the last removed first.
func (c *Console) removedOf(u operator.User, s *Snapshot) []removedAddress {
	var all []removedAddress
	for _, r := range u.Removed {
		out := removedAddress{Address: r.Token.String(), Kind: operator.KindOf(r.Token), At: clock(r.At, s.At), Campaign: r.Campaign, Advice: adviceOnRemoved(u, r)}
		if s.find(r.Campaign) != nil {
			out.URL = c.campaignURL(r.Campaign)
		}
		all = append(all, out)
	}
	return all
}

// adviceOnRemoved says whether a removed address can be given back.
func adviceOnRemoved(u operator.User, r tokens.RemovedToken) string {
	stored := slices.ContainsFunc(u.Devices, func(d notification.Device) bool { return d.Target.IsSame(r.Token) })
	switch {
	case u.TokenErr != nil:
		return "whether it is stored again is unknown"
	case stored:
		return "stored again"
	case len(u.Devices) > 0:
		return "others are stored"
	}
	return "nothing else is stored"
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
		Title: "Reveal the token of " + user + "?", Text: "Anyone who has it and the project’s credentials can send to this person. The console’s log records who looked.",
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
	return done{Message: "Revealed. Reload the page to mask it again.", Reveal: found.Token.Text()}, nil
}
