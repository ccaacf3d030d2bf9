package main

import (
	"context"
	"fmt"
	"strings"
	"time"

	"fanfare/internal/operator"
)

// planOf returns when the recipients of a campaign with time rules are sent to; nil for others, and
// if the pace is unknown. It never fails, because the plan is a remark beside the figures.
func planOf(ctx context.Context, op *operator.Operator, v operator.View, paces operator.FindPace) *operator.WavePlan {
	if !v.HasWaves() {
		return nil
	}
	state := paces.Read(ctx, v.Spec.Project)
	if state == nil {
		return nil
	}
	plan, err := op.PlanWaves(ctx, v, *state)
	if err != nil {
		return nil
	}
	return plan
}

// printHours prints a histogram of the hours in which recipients are sent to. Hours in which no one
// is sent to are left out, and those who do not fit have bars of another kind.
func printHours(o output, plan *operator.WavePlan) {
	if plan == nil || len(plan.Hours) == 0 {
		return
	}
	var most int64
	for _, h := range plan.Hours {
		most = max(most, h.N+h.Unsent)
	}
	fmt.Fprintf(o.w, "\nhours (estimated; %s, the last push goes at %s):\n", countWaves(plan), localTime(plan.Ends))
	skipped := 0
	for _, h := range plan.Hours {
		if h.N+h.Unsent == 0 {
			skipped++
			continue
		}
		if skipped > 0 {
			fmt.Fprintf(o.w, "  %-32s\n", plural(int64(skipped), "hour")+" without a push")
		}
		skipped = 0
		late := ""
		if h.Unsent > 0 {
			late = fmt.Sprintf(" %s do not fit", operator.Thousands(h.Unsent))
		}
		fmt.Fprintf(o.w, "  %-32s %12s %s%s\n", localTime(h.From), operator.Thousands(h.N), hourBar(h, most), late)
	}
	if now := plan.DescribeTurns(time.Now()); now != "" && plan.CountRunning() > 0 {
		fmt.Fprintln(o.w, "  "+now)
	}
	if each := plan.DescribePushes(); each != "" {
		fmt.Fprintln(o.w, "  "+each)
	}
	if plan.Later > 0 {
		fmt.Fprintf(o.w, "  %-32s %12s\n", "in a later window than the first", operator.Thousands(plan.Later))
	}
	if plan.NoTurn > 0 {
		fmt.Fprintf(o.w, "  %-32s %12s\n", "no window before the deadline", operator.Thousands(plan.NoTurn))
	}
}

// countWaves says how many waves there are, and how many of them run.
func countWaves(plan *operator.WavePlan) string {
	text := plural(int64(len(plan.Waves)), "wave")
	if running := plan.CountRunning(); running > 0 {
		text += fmt.Sprintf(", %d running", running)
	}
	return text
}

// hourBar draws those who are sent to, and behind them those who do not fit.
func hourBar(h operator.PlannedHour, most int64) string {
	width := func(n int64) int {
		if n == 0 {
			return 0
		}
		return max(1, int(dueWidth*n/most))
	}
	return strings.Repeat("█", width(h.N)) + strings.Repeat("░", width(h.Unsent))
}
