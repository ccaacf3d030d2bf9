package main

import (
	"fmt"
	"maps"
	"slices"

	"fanfare/internal/breaker"
	"fanfare/internal/campaign"
	"fanfare/internal/operator"
)

// printBreaker tells how far a campaign's canary is, which kinds of answers come near a limit, and who is kept back.
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
	for _, platform := range slices.Sorted(maps.Keys(s.Paused)) {
		seen, advice := adviceOf(s.Paused[platform])
		field("kept back", platform+": "+seen)
		field("", advice)
	}
}

// canaryText is "" where there is none, and none to come.
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

// shareText says how near a kind of answer is to stopping the campaign.
func shareText(s breaker.Share) string {
	limit := fmt.Sprintf("%d", s.Limit.Least)
	if s.Limit.Share > 0 {
		limit = fmt.Sprintf("%.0f%% and %d", 100*s.Limit.Share, s.Limit.Least)
	}
	return fmt.Sprintf("%s of %s are %s; it stops at %s", operator.Thousands(s.Count), operator.Thousands(s.Of), s.Kind, limit)
}
