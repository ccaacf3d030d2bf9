package operator

import (
	"fmt"

	"fanfare/internal/campaign"
	"fanfare/internal/notification"
)

// Balance says whether the numbers add up, and what is open. ok is false if recipients are
// unaccounted for.
func (r *Report) Balance() (text string, ok bool) {
	if r.View == nil {
		return r.balanceOfRecords()
	}
	b := r.View.Books
	switch {
	case b.Missing > 0:
		return fmt.Sprintf("The books do not balance: %s went missing in Redis", count(b.Missing, "recipient")), false
	case !b.IsBalanced():
		return "The books do not balance: the campaign's counts were deleted or changed in Redis", false
	case b.Loaded == 0:
		return "Nothing was loaded", true
	case b.CountOpen() > 0:
		return fmt.Sprintf("The books balance; %s without an outcome", count(b.CountOpen(), "recipient")), true
	case r.Unwritten() > 0:
		return fmt.Sprintf("The books balance; %s not in SQL yet", count(r.Unwritten(), "outcome")), true
	}
	return "The books balance: every recipient has an outcome", true
}

// balanceOfRecords compares SQL with what the history says was loaded.
func (r *Report) balanceOfRecords() (text string, ok bool) {
	if r.Written == nil {
		return "What became of its recipients is not known", false
	}
	var loaded int64
	for _, e := range r.History {
		if e.What == "loaded" {
			loaded += e.N
		}
	}
	switch written := r.Written.Total(); {
	case loaded == 0:
		return "How many were loaded is no longer known; SQL has " + count(written, "outcome"), true
	case written < loaded:
		return fmt.Sprintf("%s of %s loaded have no outcome in SQL", Thousands(loaded-written), Thousands(loaded)), false
	}
	return "The books balance: every recipient that was loaded has an outcome", true
}

// Step is something to do after a campaign.
type Step struct {
	Why     string `json:"why"`
	Command string `json:"command,omitempty"` // "" if there is nothing to do
}

// maxSteps limits the steps of a report: those that concern most recipients are first.
const maxSteps = 8

// Steps lists what a person may do next.
func (r *Report) Steps() []Step {
	steps := r.openSteps()
	for _, o := range r.Outcomes() {
		if step, ok := r.stepFor(o); ok && len(steps) < maxSteps {
			steps = append(steps, step)
		}
	}
	return steps
}

// openSteps are about recipients without an outcome.
func (r *Report) openSteps() []Step {
	if r.View == nil {
		return nil
	}
	var steps []Step
	for _, loss := range r.View.Losses() {
		steps = append(steps, Step{Why: loss.What + "; " + loss.Advice})
	}
	id, open := campaign.ShellQuote(r.ID), r.View.Books.CountOpen()
	if open == 0 {
		return steps
	}
	wait := count(open, "recipient") + " without an outcome"
	switch r.View.Spec.State {
	case campaign.Draft:
		steps = append(steps, Step{wait + ": the campaign is a draft", "fanfare campaign start " + id})
	case campaign.Paused:
		steps = append(steps, Step{wait + ": the campaign is paused", "fanfare campaign resume " + id})
	case campaign.Running:
		steps = append(steps, Step{wait + ": the campaign runs", "fanfare watch " + id})
	}
	return steps
}

// advice is what to do about recipients with a code. again means that another campaign may reach
// them; look, that the rows in SQL say more.
type advice struct {
	why         string
	again, look bool
}

var adviceByCode = map[string]advice{
	"UNAVAILABLE":                   {"FCM was unavailable for them", true, false},
	"INTERNAL":                      {"FCM had an internal error", true, false},
	"QUOTA_EXCEEDED":                {"the quota was exceeded", true, false},
	notification.CodeGaveUp:         {"all tries failed", true, false},
	"THIRD_PARTY_AUTH_ERROR":        {"APNs or web push refused the project's key: correct it in Firebase, then send again", true, false},
	"SENDER_ID_MISMATCH":            {"their tokens belong to another Firebase project: send with its credentials, or correct the tokens", false, true},
	"INVALID_ARGUMENT":              {"FCM refused the message or the token: the reasons are in the rows", false, true},
	notification.CodeDuplicate:      {"the campaign sends to their address or user for another element: nothing to do", false, false},
	notification.CodeUnfilled:       {"a placeholder had no value: complete the profiles, or give a default", true, false},
	notification.CodeHoldout:        {"they are held out, as the campaign wants: nothing to do", false, false},
	notification.CodeSuppressed:     {"they are suppressed, as you want: nothing to do", false, false},
	notification.CodeCapped:         {"they have had as many pushes as the caps allow, as you want: nothing to do", false, false},
	notification.CodeInvalidValue:   {"a value breaks their message", false, true},
	notification.CodeInvalidToken:   {"their tokens cannot be FCM's", false, true},
	notification.CodeMalformed:      {"their elements were unreadable", false, true},
	notification.CodeTooLarge:       {"the filled message was too large: shorten it", true, false},
	notification.CodeOutcomeUnknown: {"they may have got it: sending again may be a second message", true, false},
	notification.CodeDeadline:       {"the deadline passed before their turn", true, false},
	"UNREGISTERED":                  {"their apps are gone: nothing to do, and dead tokens are removed", false, false},
	notification.CodeNoToken:        {"no token is known: nothing to do until their apps register", false, false},
}

// stepFor returns what can be done about recipients with an outcome.
func (r *Report) stepFor(o OutcomeCount) (step Step, ok bool) {
	known, ok := adviceByCode[o.Code]
	if o.Status == notification.StatusUnknown && o.Code != "" {
		known, ok = adviceByCode[notification.CodeOutcomeUnknown], true
	}
	if !ok || o.Status == notification.StatusSent {
		return Step{}, false
	}
	step.Why = fmt.Sprintf("%s %s, %s: %s", Thousands(o.N), o.Status, o.Code, known.why)
	id := campaign.ShellQuote(r.ID)
	switch {
	case r.Written == nil: // the commands read SQL
	case known.again:
		step.Command = fmt.Sprintf("fanfare load NEW --from %s --status %s --code %s", id, o.Status, o.Code)
	case known.look:
		step.Command = fmt.Sprintf("fanfare campaign export %s --status %s --code %s", id, o.Status, o.Code)
	}
	return step, true
}

// count formats a number of things.
func count(n int64, thing string) string {
	if n != 1 {
		thing += "s"
	}
	return Thousands(n) + " " + thing
}
