package main

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"time"

	"fanfare/cmd/internal/assembly"
	"fanfare/cmd/internal/sending"
	"fanfare/internal/operator"
)

// findPaces finds the pace of the Firebase project that a campaign names, else of the only one in
// the settings. It never fails, because the pace only explains the answer.
func findPaces(ctx context.Context, rooms *sending.Rooms) operator.FindPace {
	own := sync.OnceValues(func() (string, error) { return rooms.FindProject(ctx) })
	return func(project string) operator.PaceReader {
		of := rooms
		if len(rooms.Settings.Projects) > 0 {
			found, err := rooms.ForProject(project)
			if err != nil {
				return nil
			}
			of, project = found, found.Settings.FCM.ProjectID
		} else if project == "" {
			project, _ = own()
		}
		if project == "" || !of.Settings.Pacing.Enabled {
			return nil
		}
		governor, err := of.NewGovernor(project, assembly.Whoami(), nil)
		if err != nil {
			return nil
		}
		return governor
	}
}

// explainReason says in one sentence what keeps a campaign, or a part of it, from moving. A zero
// now leaves out how long ago a pause was.
func explainReason(r operator.Reason, now time.Time) string {
	text := r.Title(now) + r.When(clockTime)
	if r.Detail != "" {
		text += ": " + r.Detail
	}
	if !r.Stops && r.People > 0 {
		noun := "recipient"
		if r.Kind == operator.ReasonSQLWrites {
			noun = "result"
		}
		text += fmt.Sprintf(" (%s)", plural(r.People, noun))
	}
	return text
}

// reasonLines are the sentences with their next steps. They are beside figures that count retries.
func reasonLines(reasons []operator.Reason, now time.Time) []string {
	var lines []string
	for _, r := range reasons {
		if isRetriesBeside(r) {
			continue
		}
		line := strings.TrimSuffix(printable(explainReason(r, now)), ".")
		if r.Next != "" {
			line += "; " + printable(r.Next)
		}
		lines = append(lines, line)
	}
	return lines
}

// isRetriesBeside reports whether a reason is about retries that wait while others are sent.
func isRetriesBeside(r operator.Reason) bool {
	return r.Kind == operator.ReasonRetriesLater && !r.Stops
}

// reasonField is a reason as a field of the campaign. A label may say what the headline says.
func reasonField(r operator.Reason) (label, text string) {
	now := time.Now()
	switch {
	case r.Kind == operator.ReasonTripped, r.Kind == operator.ReasonPaused:
		return "reason", explainReason(r, now)
	case r.Kind == operator.ReasonLoss:
		return "audience", r.Detail
	case r.Kind == operator.ReasonUndelivered, r.Kind == operator.ReasonNoResponder, r.Kind == operator.ReasonSQLWrites:
		return "results", explainReason(r, now)
	case r.Kind == operator.ReasonDraft, r.Kind == operator.ReasonScheduled, r.Kind == operator.ReasonWindows, !r.Stops:
		return "waits", explainReason(r, now)
	}
	return "held", explainReason(r, now)
}

// printReasons prints the reasons below a list of campaigns. States that a person chose, and that
// the list shows, are left out.
func printReasons(o output, v operator.View) {
	for _, r := range v.Reasons {
		switch r.Kind {
		case operator.ReasonDraft, operator.ReasonBroken, operator.ReasonNoMessage:
			continue
		}
		_, text := reasonField(r)
		printReason(o, printable(v.Spec.ID)+": ", text, r.Next)
	}
}

// printReason prints what keeps something from moving, and the next step if there is one.
func printReason(o output, label, text, next string) {
	fmt.Fprintf(o.w, "\n%s\n", o.indent(label, printable(text)))
	if next != "" {
		fmt.Fprintln(o.w, o.indent("  ", printable(withArrow(next))))
	}
}

// isHeld reports whether nothing of a running campaign moves, for another reason than its books.
func isHeld(reasons []operator.Reason) bool {
	for _, r := range reasons {
		if r.Stops && r.Kind != operator.ReasonRetriesLater && r.Kind != operator.ReasonWindows {
			return true
		}
	}
	return false
}

// joinReasons is one line of all reasons.
func joinReasons(reasons []operator.Reason) string {
	return strings.Join(reasonLines(reasons, time.Now()), "; ")
}
