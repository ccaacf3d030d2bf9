package main

import (
	"fmt"
	"io"
	"strings"
	"time"

	"fanfare/internal/operator"
)

// stateOf is a campaign's state for a person.
func stateOf(v operator.View) string {
	switch {
	case v.Err != nil:
		return "broken"
	case v.Spec.State == "":
		return "waiting for a message"
	case v.Held != nil:
		return string(v.Spec.State) + ", held"
	}
	return string(v.Spec.State)
}

// printView writes a campaign for a person: its state, its outcomes by code, its books.
func printView(w io.Writer, v operator.View) {
	fmt.Fprintln(w, bold(w, fmt.Sprintf("campaign %s: %s", printable(v.Spec.ID), stateOf(v))))
	if v.Err != nil {
		fmt.Fprintln(w, indented(w, "  ", printable(v.Err.Error())))
	}
	if v.Err == nil && v.Spec.State == "" {
		fmt.Fprintf(w, "  give it one: %s\n", createLine(v.Spec.ID))
	}
	field := func(name, value string) {
		if value != "" {
			fmt.Fprintln(w, indented(w, fmt.Sprintf("  %-13s ", name), printable(value)))
		}
	}
	seen, advice := adviceOf(v.Spec.Reason)
	field("reason", seen)
	field("", advice)
	field("name", v.Spec.Name)
	field("created", stamp(v.Spec.CreatedAt))
	field("started", stamp(v.Spec.StartedAt))
	field("finished", stamp(v.Spec.FinishedAt))
	if !v.Deadline().IsZero() {
		field("deadline", deadlineText(v))
	}
	field("on ambiguous", string(v.Spec.OnAmbiguous))
	if v.Spec.Priority > 0 {
		field("priority", fmt.Sprint(v.Spec.Priority))
	}
	if v.Spec.Weight > 1 {
		field("weight", fmt.Sprint(v.Spec.Weight))
	}
	if v.Spec.Rate > 0 {
		field("rate", rateText(v.Spec.Rate))
	}
	field("held", heldWhy(v.Held))
	if v.Undelivered != nil {
		field("results", fmt.Sprintf("%s wait to be forwarded: %v", operator.Thousands(v.Books.Outbox), v.Undelivered))
	}
	printBreaker(field, v)
	fmt.Fprintln(w)
	printOutcomes(w, v.Books)
	printAmbiguous(w, v.Ambiguous())
	printBooks(w, v.Books)
}

// adviceOf takes apart what was seen and what to do about it, as breakers write a reason. A person's own has no advice.
func adviceOf(reason string) (seen, advice string) {
	seen, advice, found := strings.Cut(reason, "; ")
	if found {
		advice = "→ " + advice
	}
	return seen, advice
}

// stamp is a moment in the time zone of whoever looks; "" for none.
func stamp(at time.Time) string {
	if at.IsZero() {
		return ""
	}
	return at.Local().Format(time.DateTime)
}

func printList(w io.Writer, views []operator.View) {
	if len(views) == 0 {
		fmt.Fprintln(w, "no campaigns; create one with: fanfare campaign create 42 --message message.json")
		return
	}
	t := newTable("CAMPAIGN", "STATE", ">LOADED", ">SENT", ">FAILED", ">OTHERS", ">LEFT", "CREATED", "NAME")
	for _, v := range views {
		b := v.Books
		others := b.Skipped + b.Expired + b.Unknown
		t.add(v.Spec.ID, stateOf(v), operator.Thousands(b.Loaded), operator.Thousands(b.Sent), operator.Thousands(b.Failed), operator.Thousands(others),
			operator.Thousands(b.Open()), stamp(v.Spec.CreatedAt), v.Spec.Name)
	}
	t.print(w)
	for _, v := range views {
		if v.Err != nil {
			fmt.Fprintf(w, "\n%s\n", indented(w, "", printable(v.Err.Error())))
		}
		if v.Held != nil {
			fmt.Fprintf(w, "\n%s\n", indented(w, printable(v.Spec.ID)+" is held: ", printable(heldWhy(v.Held))))
		}
		if seen, advice := adviceOf(v.Spec.Reason); seen != "" {
			fmt.Fprintf(w, "\n%s\n", indented(w, fmt.Sprintf("%s is %s: ", printable(v.Spec.ID), v.Spec.State), printable(seen)))
			if advice != "" {
				fmt.Fprintln(w, indented(w, "  ", printable(advice)))
			}
		}
	}
}
