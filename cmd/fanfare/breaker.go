package main

import (
	"fmt"
	"maps"
	"slices"

	"fanfare/internal/breaker"
	"fanfare/internal/operator"
)

// printBreaker tells how far a campaign's canary is, which kinds of answers come near a limit, and who is kept back.
func printBreaker(field func(name, value string), s breaker.State) {
	if !s.Known {
		return
	}
	if c := s.Canary; c.Size > 0 && !c.Passed {
		field("canary", fmt.Sprintf("%s of %s answered, %s on the way; the rest waits", operator.Thousands(c.Answered), operator.Thousands(c.Size), operator.Thousands(c.Outstanding)))
	} else if c.Size > 0 {
		field("canary", "passed")
	}
	for _, share := range s.Shares {
		if share.Limit.Least > 0 && share.Count > 0 {
			field("answers", shareText(share))
		}
	}
	for _, platform := range slices.Sorted(maps.Keys(s.Paused)) {
		field("kept back", platform+": "+s.Paused[platform])
	}
}

// shareText says how near a kind of answer is to stopping the campaign.
func shareText(s breaker.Share) string {
	limit := fmt.Sprintf("%d", s.Limit.Least)
	if s.Limit.Share > 0 {
		limit = fmt.Sprintf("%.0f%% and %d", 100*s.Limit.Share, s.Limit.Least)
	}
	return fmt.Sprintf("%s of %s are %s; it stops at %s", operator.Thousands(s.Count), operator.Thousands(s.Of), s.Kind, limit)
}
