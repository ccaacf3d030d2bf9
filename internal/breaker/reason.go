package breaker

import (
	"fmt"
	"strings"
)

// meanings say of each kind what many of them mean, and what to do about it.
var meanings = map[Kind]string{
	Credentials:    "FCM refuses our credentials; mend the service account or its permissions, and sending goes on",
	BadMessage:     "FCM refuses a field of the message; correct the message (fanfare campaign set ID --message FILE), then resume the campaign",
	NotFound:       "FCM does not know what was asked for, and does not mean the token; check the project id and the endpoint, then resume the campaign",
	SenderMismatch: "the tokens belong to another Firebase project; check the project id, and whose audience this is, then resume the campaign",
	ThirdPartyAuth: "APNs or web push refuse the project's keys; renew them in the Firebase console, then resume the campaign",
	BadTarget:      "FCM refuses the requests and names no field; check that the audience's tokens are complete, then resume the campaign",
	Unregistered:   "the tokens are dead; check how old the audience is and where it comes from, then resume the campaign",
	Other:          "FCM refuses in a way that no rule knows; look at the campaign's results, then resume the campaign",
}

const filledWrong = "FCM refuses a field of the message as it was filled; correct the message (fanfare campaign set ID --message FILE) or the values that fill it, then resume the campaign"

// explain makes the sentence for the operator.
func (t *Trip) explain(canary, personal bool, said string) string {
	when := "in the last minute"
	if canary {
		when = "in the canary"
	}
	whose := ""
	if t.Scope == Platform {
		whose = " for " + t.Platform
	}
	meaning := meanings[t.Kind]
	if t.Kind == BadMessage && personal {
		meaning = filledWrong
	}
	return fmt.Sprintf("%d of %d answers%s %s (%.1f%%) are %s%s: %s", t.Count, t.Of, whose, when, percent(t.Count, t.Of), t.Kind, quoted(said), meaning)
}

// quoted is what FCM said, in parentheses. "; " stays the mark between what was seen and what to do.
func quoted(said string) string {
	if said == "" {
		return ""
	}
	return " (" + strings.ReplaceAll(said, "; ", ", ") + ")"
}

func percent(part, whole int64) float64 {
	if whole == 0 {
		return 0
	}
	return 100 * float64(part) / float64(whole)
}
