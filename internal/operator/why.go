package operator

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"fanfare/internal/campaign"
	"fanfare/internal/fleet"
	"fanfare/internal/history"
	"fanfare/internal/notification"
	"fanfare/internal/pacing"
)

// Surroundings are what a campaign's progress depends on beside itself.
type Surroundings struct {
	Now     time.Time
	Pace    *pacing.State   // of the project; nil: unknown
	Running []View          // all running campaigns; those of other projects do not matter
	Fleet   []fleet.Process // the running dispatchers and responders; nil: unknown
}

// Why returns the reasons why a campaign or a part of it does not move. The first one matters
// most. It is empty if everything moves, and for a campaign that has ended.
func Why(v View, around Surroundings) []Reason {
	if v.Spec.State.HasEnded() && v.Err == nil {
		return nil
	}
	w := why{View: v, Surroundings: around}
	w.explainSpec()
	w.explainLosses()
	w.explainLoad()
	if v.Err == nil && v.Spec.State == campaign.Running {
		w.explainNoAudience(campaign.ShellQuote(w.Spec.ID))
		w.explainFleet()
		w.explainHeld()
		w.explainPriority()
		w.explainParts()
		w.explainQuota()
		w.explainWarnings()
		w.explainRetries()
	}
	if v.Undelivered != nil {
		w.add(Reason{Kind: ReasonUndelivered, Headline: "Results cannot be forwarded", Detail: v.Undelivered.Error(), People: v.Books.Outbox, Action: ActionInvestigate})
	}
	slices.SortStableFunc(w.reasons, func(a, b Reason) int { return cmp.Compare(rank(b), rank(a)) })
	return w.reasons
}

// NeedsPerson reports whether nothing of the campaign moves until a person acts. It needs Reasons.
func (v View) NeedsPerson() bool {
	if v.Books.Missing > v.Books.Waived && !v.Spec.State.HasEnded() {
		return true
	}
	if len(v.Reasons) == 0 || v.Reasons[0].Kind == ReasonDraft || v.Spec.State == "" {
		return false
	}
	return v.Reasons[0].Stops && !v.Reasons[0].EndsByItself
}

func rank(r Reason) int {
	if r.Stops {
		return 1
	}
	return 0
}

// why collects reasons.
type why struct {
	View
	Surroundings

	reasons []Reason
}

func (w *why) add(r Reason) { w.reasons = append(w.reasons, r) }

// stop adds a reason for which nothing of the campaign moves.
func (w *why) stop(r Reason) {
	r.Stops, r.People = true, w.Books.CountOpen()
	w.add(r)
}

// repair names the commands that repair a broken campaign, or the one that says more.
func (w *why) repair(id string) string {
	if len(notification.FaultsOf(w.Err)) > 0 {
		return ReplaceMessage(w.Spec.ID, w.Spec.State)
	}
	return "fanfare campaign show " + id
}

// ReplaceMessage names the commands that give a campaign another message.
func ReplaceMessage(id string, state campaign.State) string {
	id = campaign.ShellQuote(id)
	set := "fanfare campaign set " + id + " --message FILE"
	switch state {
	case campaign.Running:
		return "fanfare campaign pause " + id + ", then " + set + ", then fanfare campaign resume " + id
	case campaign.Paused:
		return set + ", then fanfare campaign resume " + id
	}
	return set
}

func (w *why) explainSpec() {
	id := campaign.ShellQuote(w.Spec.ID)
	if w.Err != nil {
		w.stop(Reason{Kind: ReasonBroken, Headline: "It cannot be sent as it is", Detail: w.Problem(), Action: ActionEdit, Next: w.repair(id)})
		return
	}
	switch w.Spec.State {
	case "":
		w.stop(Reason{Kind: ReasonNoMessage, Headline: "It waits for a message", Action: ActionEdit, Next: "fanfare campaign create " + id + " --message FILE"})
	case campaign.Draft:
		if w.Spec.IsScheduled() {
			w.stop(w.scheduledReason(id))
			return
		}
		w.stop(Reason{Kind: ReasonDraft, Headline: "Not started", Action: ActionStart, Next: "fanfare campaign start " + id})
	case campaign.Paused:
		w.stop(w.pauseReason(id))
	}
}

// explainNoAudience adds that there is no one to send to. An application may still push recipients.
func (w *why) explainNoAudience(id string) {
	if w.Books.Loaded > 0 || w.Books.CountOpen() > 0 || w.Books.Loading {
		return
	}
	r := Reason{Kind: ReasonNoAudience, Headline: "It has no recipients yet", Next: "fanfare load " + id + " FILE; or have the application push them"}
	if !w.Spec.Source.IsZero() {
		r.Next = "fanfare load " + id
	}
	w.stop(r)
}

// scheduledReason says when a draft starts by itself, or why it has not.
func (w *why) scheduledReason(id string) Reason {
	at := w.Spec.StartAt
	r := Reason{
		Kind: ReasonScheduled, Headline: "Scheduled", Detail: "it starts by itself in " + Span(max(time.Second, at.Sub(w.Now).Round(time.Second))),
		Until: at, EndsByItself: true, Action: ActionStart, Next: "nothing to do; or start it now: fanfare campaign start " + id,
	}
	if deadline := w.ListDeadline(); !deadline.IsZero() && !at.Before(deadline) {
		r.Headline, r.Detail, r.EndsByItself = "Its scheduled start comes too late", campaign.DescribeListDeadline(deadline)+": every recipient would expire", false
		r.Next = "give the list a longer EXPIRE; or an earlier start: fanfare campaign set " + id + " --start-at MOMENT"
		return r
	}
	if w.Now.Before(at) {
		return r
	}
	r.Until, r.Since = time.Time{}, at
	switch {
	case w.Books.IsIncomplete(w.Spec):
		r.Headline, r.Detail, r.EndsByItself = "Its scheduled start waits", "the audience is incomplete", w.Books.Loading
		r.Next = "complete the audience; or start without the missing: fanfare campaign start " + id + " --partial"
	case w.Unfit != nil:
		r.Headline, r.Detail, r.EndsByItself = "Its scheduled start is refused", w.Unfit.Describe()+"; "+w.Unfit.Advice(), false
		r.Next = "start it all the same: fanfare campaign start " + id + " --late"
	default:
		r.Headline, r.Detail, r.Next = "Its scheduled start is due", "a dispatcher starts it at its next look", "nothing to do if a dispatcher runs; or start it now: fanfare campaign start "+id
	}
	return r
}

// pauseReason distinguishes a person's pause from a breaker's, and says who paused it and when.
func (w *why) pauseReason(id string) Reason {
	s := w.Spec
	r := Reason{
		Kind: ReasonPaused, Headline: "Paused", Detail: s.Reason, By: s.PausedBy, Since: s.PausedAt,
		Action: ActionResume, Next: "fanfare campaign resume " + id,
	}
	switch {
	case w.IsTripped():
		r.Kind, r.Headline = ReasonTripped, "Stopped by a breaker"
		if w.Breaker.Last != nil {
			r.Since = w.Breaker.Last.At
		}
	case r.By != "":
		r.Headline += " by " + r.By
	}
	r.splitAdvice()
	return r
}

// splitAdvice moves the advice in a breaker's reason, which follows a semicolon, before the next
// step.
func (r *Reason) splitAdvice() {
	if seen, advice, found := strings.Cut(r.Detail, "; "); found {
		r.Detail, r.Next = seen, advice+": "+r.Next
	}
}

// IsTripped reports whether a breaker paused the campaign.
func (v View) IsTripped() bool {
	return v.Spec.State == campaign.Paused && (history.IsBreaker(v.Spec.PausedBy) || v.Breaker.Last != nil && v.Spec.Reason == v.Breaker.Last.Reason)
}

func (w *why) explainLosses() {
	for _, loss := range w.Losses() {
		w.add(Reason{Kind: ReasonLoss, Headline: "The audience is incomplete", Detail: loss.What, People: w.Books.Missing, Action: ActionInvestigate, Next: loss.Advice})
	}
}

// explainLoad adds a load that is held back. It holds no recipient in Redis back.
func (w *why) explainLoad() {
	load := w.Books.Load
	if !load.IsHeld() {
		return
	}
	r := Reason{
		Kind: ReasonLoadHeld, Headline: "The load is held back", EndsByItself: true, Since: load.HeldSince,
		Detail: fmt.Sprintf("%s recipients loaded so far, %s of them in Redis, which is the limit of the load; the loader (%s) waits", Thousands(w.Books.Loaded), Thousands(w.Books.CountOpen()), load.Owner),
		Next:   "nothing to do: the load continues as recipients are sent, once the campaign runs",
	}
	if w.waitsForWindows() {
		r.Detail += fmt.Sprintf("; %s of those in Redis wait for their windows, and people who are not loaded yet may miss theirs", Thousands(w.Books.Retrying))
		r.Next = fmt.Sprintf("stop the loader, and give its command again with a larger --hold than %d; sort the next audience by time zone, the east first", load.Limit)
	}
	w.add(r)
}

// explainHeld adds what stops the project, or this campaign alone.
func (w *why) explainHeld() {
	held := w.Hold
	if w.Pace != nil {
		held = cmp.Or(FindHold(*w.Pace), held)
	}
	if held == nil {
		return
	}
	w.stop(held.Explain())
}

// explainParts adds what keeps back a part of the campaign.
func (w *why) explainParts() {
	id := campaign.ShellQuote(w.Spec.ID)
	b := w.Books
	for _, platform := range slices.Sorted(maps.Keys(w.Breaker.Paused)) {
		r := Reason{
			Kind: ReasonPlatform, Headline: platformName(platform) + " is on hold", Detail: w.Breaker.Paused[platform],
			Action: ActionResume, Next: "fanfare campaign resume " + id,
		}
		r.splitAdvice()
		w.addKeptBack(&r, platform)
		w.add(r)
	}
	switch onlyRetries := w.hasOnlyRetries(); {
	case b.ClockBack > 0:
		w.add(Reason{
			Kind: ReasonClockBack, Headline: "Retries wait for Redis' clock, which was set back", People: b.Retrying, Stops: onlyRetries,
			Until: b.NextRetry, EndsByItself: true, Next: "nothing to do: it ends when the clock has caught up",
		})
	case w.waitsForWindows():
		w.add(w.windowsReason(onlyRetries))
	case onlyRetries && len(w.Breaker.Paused) == 0:
		w.add(Reason{
			Kind: ReasonRetriesLater, Headline: "Only retries are left", People: b.Retrying, Stops: true, Until: b.NextRetry, EndsByItself: true,
			Next: "nothing to do: they are sent when they are due",
		})
	}
	if w.Spec.Rate > 0 && b.Waiting > 0 {
		w.add(Reason{Kind: ReasonRate, Headline: "Its own rate", Detail: Decimal(w.Spec.Rate) + " a second", People: b.Waiting, EndsByItself: true,
			Next: "nothing to do; or change it: fanfare campaign set " + id + " --rate N"})
	}
}

// windowsReason says how many recipients wait for their windows, and when the next ones are due.
func (w *why) windowsReason(all bool) Reason {
	b := w.Books
	return Reason{
		Kind: ReasonWindows, Headline: "Recipients wait for their windows", Detail: fmt.Sprintf("%s, the next in %s", Thousands(b.Retrying), Span(max(time.Second, b.NextRetry.Sub(w.Now).Round(time.Second)))),
		People: b.Retrying, Stops: all, Until: b.NextRetry, EndsByItself: true, Next: "nothing to do: they are sent when their windows open",
	}
}

// hasOnlyRetries reports whether all who are left wait for a retry.
func (v View) hasOnlyRetries() bool {
	return v.Books.Retrying > 0 && v.Books.Waiting+v.Books.InFlight == 0
}

// manyRetries is the share of those left, one in so many, from which retries are worth a remark.
const manyRetries = 10

// explainRetries adds the retries that wait while others are sent, if they are many. It comes last,
// because they end by themselves.
func (w *why) explainRetries() {
	b := w.Books
	if w.hasOnlyRetries() || w.waitsForWindows() || b.ClockBack > 0 || len(w.Breaker.Paused) > 0 || !b.NextRetry.After(w.Now) || b.Retrying*manyRetries < b.CountOpen() {
		return
	}
	w.add(Reason{
		Kind: ReasonRetriesLater, Headline: "Retries wait", Detail: "the first is due in " + Span(max(time.Second, b.NextRetry.Sub(w.Now).Round(time.Second))),
		People: b.Retrying, EndsByItself: true, Next: "nothing to do: they are sent when they are due",
	})
}

// platformName writes a platform as its makers do.
func platformName(platform string) string {
	switch strings.ToLower(platform) {
	case "ios":
		return "iOS"
	case "android":
		return "Android"
	case "web":
		return "Web"
	}
	return platform
}
