package main

import (
	"cmp"
	"fmt"
	"io"
	"time"

	"fanfare/internal/breaker"
	"fanfare/internal/campaign"
	"fanfare/internal/notification"
	"fanfare/internal/operator"
	"fanfare/internal/terminal"
)

// stateOf formats a campaign's state for a person.
func stateOf(v operator.View) string {
	state := cmp.Or(string(v.State()), "waiting for a message")
	if v.Err == nil && v.Spec.State == campaign.Running && isHeld(v.Reasons) {
		state += heldMark
	}
	return state
}

// printView prints a campaign for a person: its state, its outcomes by code, its books.
func printView(o output, v operator.View) {
	terminal.Paint(o.w, terminal.Bold, fmt.Sprintf("campaign %s: ", printable(v.Spec.ID)))
	terminal.Paint(o.w, stateColor(stateOf(v)), stateOf(v))
	fmt.Fprintln(o.w)
	if v.Err != nil {
		printProblem(o.w, v)
	}
	if v.Err == nil && v.Spec.State == "" {
		fmt.Fprintf(o.w, "  give it one: %s\n", createHint(v.Spec.ID))
	}
	field := func(name, value string) {
		if value != "" {
			fmt.Fprintln(o.w, indent(o.w, fmt.Sprintf("  %-13s ", name), printable(value)))
		}
	}
	if v.Spec.State.HasEnded() {
		field("reason", operator.DescribeEnd(v.Spec, time.Now()))
	} else if v.Err != nil {
		field("reason", v.Spec.Reason)
	}
	for _, r := range v.Reasons {
		if r.Kind == operator.ReasonBroken || r.Kind == operator.ReasonNoMessage || isRetriesBeside(r) {
			continue // the heading says so, or the field of retries
		}
		field(reasonField(r))
		field("", withArrow(r.Next))
	}
	field("name", v.Spec.Name)
	field("project", v.Spec.Project)
	printSource(field, v)
	field("created", localTime(v.Spec.CreatedAt))
	field("started", localTime(v.Spec.StartedAt))
	field("finished", localTime(v.Spec.FinishedAt))
	if !v.Deadline().IsZero() {
		field("deadline", deadlineText(v))
	}
	field("forecast", forecastText(v))
	printTimes(field, v)
	printOptions(field, v.Spec)
	field("retries", retriesText(v))
	field("in SQL", writtenText(v.Written))
	field("devices", devicesText(v.Books.Devices))
	field("moved", movedText(v.Books.Moved))
	printBreaker(field, v)
	fmt.Fprintln(o.w)
	printOutcomes(o, v.Books)
	for _, t := range choiceTables(o, v.Choices()) {
		t.print()
		fmt.Fprintln(o.w)
	}
	printAmbiguous(o.w, v.Ambiguous())
	if n := v.Books.TokensKept; n > 0 {
		fmt.Fprintf(o.w, "kept: %s stay stored, because too many died within an hour\n", plural(n, "dead token"))
	}
	printBooks(o.w, v.Books)
	printDue(o, v.Due)
	printWaves(o, v.Books.Waves)
}

// printProblem prints why a campaign is broken, and the next step. Each fault of its message has a
// line of its own.
func printProblem(w io.Writer, v operator.View) {
	faults := notification.FaultsOf(v.Err)
	if len(faults) == 0 {
		fmt.Fprintln(w, indent(w, "  ", printable(v.Problem())))
		return
	}
	for _, fault := range faults {
		fmt.Fprintln(w, indent(w, "  ", printable(fault.Error())))
	}
	fmt.Fprintln(w, indent(w, "  ", "→ "+printable(operator.ReplaceMessage(v.Spec.ID, v.Spec.State))))
}

// writtenText says how many outcomes are in SQL.
func writtenText(written *operator.Written) string {
	switch {
	case written == nil:
		return ""
	case written.Error != "":
		return "unknown: " + written.Error
	}
	return fmt.Sprintf("written to SQL: %s of %s", operator.Thousands(written.InSQL), operator.Thousands(written.Of))
}

// withArrow marks advice. An empty text stays empty.
func withArrow(advice string) string {
	if advice == "" {
		return ""
	}
	return "→ " + advice
}

// retriesText says when the first retry is due, and whether Redis' clock delays it.
func retriesText(v operator.View) string {
	b := v.Books
	if b.NextRetry.IsZero() {
		return ""
	}
	text := fmt.Sprintf("%s wait; the first is due now", operator.Thousands(b.Retrying))
	if left := b.UntilRetry(); left > 0 {
		text = fmt.Sprintf("%s wait; the first is due in %s, at %s", operator.Thousands(b.Retrying), operator.Span(left.Round(time.Second)), localTime(b.NextRetry))
	}
	if b.ClockBack > 0 {
		text += fmt.Sprintf("; Redis' clock was set back by at least %s, and they wait that much longer unless it is corrected",
			operator.Span(b.ClockBack.Round(time.Second)))
	}
	return text
}

func printList(o output, views []operator.View) {
	if len(views) == 0 {
		fmt.Fprintln(o.w, "no campaigns; create one with: fanfare campaign create 42 --message message.json")
		return
	}
	t := o.newTable(idColumn("CAMPAIGN"), textColumn("STATE").painted(stateColor), numberColumn("LOADED").onlyWide(), numberColumn("SENT"), numberColumn("FAILED"),
		numberColumn("OTHERS").onlyWide(), numberColumn("LEFT"), numberColumn("RATE"), numberColumn("ETA"), numberColumn("PRIO").onlyWide(),
		textColumn("CREATED").onlyWide(), textColumn("NAME"))
	for _, v := range views {
		b := v.Books
		others := b.Skipped + b.Expired + b.Unknown
		rate, left := forecastCells(v)
		t.add(v.Spec.ID, stateOf(v), operator.Thousands(b.Loaded), operator.Thousands(b.Sent), operator.Thousands(b.Failed), operator.Thousands(others),
			operator.Thousands(b.CountOpen()), rate, left, fmt.Sprint(v.Spec.Priority), localTime(v.Spec.CreatedAt), v.Spec.Name)
	}
	t.print()
	for _, v := range views {
		if v.Err != nil {
			fmt.Fprintf(o.w, "\n%s\n", o.indent(fmt.Sprintf("%s is %s: ", printable(v.Spec.ID), v.State()), printable(v.Problem())))
			if len(notification.FaultsOf(v.Err)) > 0 {
				fmt.Fprintln(o.w, o.indent("  ", "→ "+printable(operator.ReplaceMessage(v.Spec.ID, v.Spec.State))))
			}
		}
		printEnd(o, v)
		printReasons(o, v)
	}
}

// printEnd prints how a campaign ended, below a list.
func printEnd(o output, v operator.View) {
	end, who := operator.DescribeEnd(v.Spec, time.Now()), printable(v.Spec.ID)
	if end == v.Spec.Reason { // which does not name the state
		who += " is " + string(v.Spec.State)
	}
	if end != "" {
		fmt.Fprintf(o.w, "\n%s\n", o.indent(who+": ", printable(end)))
	}
}

// printBreaker prints the progress of the canary, the kinds of answers near a limit, and the paused
// platforms.
func printBreaker(field func(name, value string), v operator.View) {
	s := v.Breaker
	if !s.Known {
		return
	}
	field("canary", canaryText(s.Canary, v.Spec.State))
	for _, share := range s.Shares {
		if share.Limit.Least > 0 && share.Count > 0 {
			field("answers", shareText(share))
		}
	}
}

// canaryText is empty if the campaign has no canary and gets none.
func canaryText(c breaker.Canary, state campaign.State) string {
	switch {
	case c.Size == 0:
		return ""
	case state == campaign.Paused:
		return "a new one follows when the campaign is resumed"
	case c.Passed:
		return "passed"
	case state != campaign.Running:
		return ""
	}
	text := fmt.Sprintf("%s of %s answered, %s on the way", operator.Thousands(c.Answered), operator.Thousands(c.Size), operator.Thousands(c.Outstanding))
	if c.Unanswered > 0 {
		text += fmt.Sprintf(", %s without an answer", operator.Thousands(c.Unanswered))
	}
	return text + "; the rest waits"
}

// shareText says how close a kind of answer is to stopping the campaign.
func shareText(s breaker.Share) string {
	limit := fmt.Sprintf("%d", s.Limit.Least)
	if s.Limit.Share > 0 {
		limit = fmt.Sprintf("%.0f%% and %d", 100*s.Limit.Share, s.Limit.Least)
	}
	return fmt.Sprintf("%s of %s are %s; it stops at %s", operator.Thousands(s.Count), operator.Thousands(s.Of), s.Kind, limit)
}

// printOptions prints the options of a campaign that differ from the defaults.
func printOptions(field func(name, value string), spec campaign.Spec) {
	field("on ambiguous", string(spec.OnAmbiguous))
	if spec.Dedupe != campaign.DedupeAddress {
		field("dedupe", string(spec.Dedupe))
	}
	if spec.Kind == campaign.Transactional {
		field("kind", string(spec.Kind))
	}
	if spec.Devices == campaign.LatestDevice {
		field("devices", string(spec.Devices))
	}
	if spec.Priority > 0 {
		field("priority", fmt.Sprint(spec.Priority))
	}
	if spec.Weight > 1 {
		field("weight", fmt.Sprint(spec.Weight))
	}
	if spec.Rate > 0 {
		field("rate", rateText(spec.Rate))
	}
}
