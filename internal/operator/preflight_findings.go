package operator

import (
	"fmt"

	"fanfare/internal/campaign"
	"fanfare/internal/notification"
)

func stateFinding(v View) Finding {
	f := Finding{Name: "campaign", Grade: Good, Detail: "is " + string(v.Spec.State)}
	switch {
	case v.Spec.State.Final():
		f.Grade, f.Advice = Failure, "nobody is sent to any more: create another campaign"
	case v.Spec.State == campaign.Paused && v.Spec.Reason != "":
		f.Grade, f.Detail = Warning, fmt.Sprintf("is paused: %s", v.Spec.Reason)
		f.Advice = "mend what paused it before it is resumed"
	}
	return f
}

func audienceFinding(b campaign.Books, s campaign.Sample) Finding {
	read := len(s.Recipients) + len(s.Malformed)
	f := Finding{Name: "audience", Grade: Good, Detail: fmt.Sprintf("%s recipients left; %s read from the list's head, middle and tail", Thousands(b.Open()), Thousands(read))}
	switch {
	case b.Open() == 0:
		f.Grade, f.Detail, f.Advice = Failure, "nobody is left to send to", "load the audience, or look whether its list has expired"
	case read == 0:
		f.Grade, f.Advice = Warning, "all that are left were claimed before: of them nobody can be looked at"
	}
	return f
}

// lossFindings are about recipients that are missing, or were not loaded to the last.
func lossFindings(v View) []Finding {
	var all []Finding
	for _, loss := range v.Losses() {
		all = append(all, Finding{Name: "complete audience", Grade: Failure, Detail: loss.What, Advice: loss.Advice})
	}
	return all
}

// judged grades what befalls a part of the sample: all of it is a failure, some a warning.
func judged(name string, found, of int, audience int64, what, advice string) Finding {
	share := shareOf(found, of)
	if found == 0 {
		return Finding{Name: name, Grade: Good, Detail: fmt.Sprintf("%s of %s %s", Thousands(found), Thousands(of), what)}
	}
	f := Finding{Name: name, Grade: Warning, Detail: fmt.Sprintf("%s %s: %s", share, what, share.among(audience)), Advice: advice}
	if found == of {
		f.Grade = Failure
	}
	return f
}

// findings are what the sample tells before FCM is asked. Of an empty sample there are none.
func (c *cast) findings(audience int64) []Finding {
	all := c.read + len(c.malformed)
	if all == 0 {
		return nil
	}
	found := []Finding{judged("elements", len(c.malformed), all, audience, "cannot be read", "")}
	if len(c.malformed) > 0 {
		found[0].Advice = "they end as failed; the first: " + c.malformed[0].Error()
	}
	if c.unlooked != nil {
		found = append(found, Finding{
			Name: "look-up", Grade: Failure, Detail: fmt.Sprintf("%s of %s could not be looked up: %v", Thousands(c.undecided), Thousands(c.read), c.unlooked),
			Advice: "fanfare check tells more",
		})
	}
	if asked := c.read - c.undecided; asked > 0 {
		found = append(found, c.fillings(asked, audience)...)
	}
	return found
}

func (c *cast) fillings(of int, audience int64) []Finding {
	missing, names := c.missing()
	found := []Finding{
		judged("tokens", c.tokenless, of, audience, "have no token", "they end as skipped: no token in the element, in Redis or in SQL"),
		judged("placeholders", missing, of, audience, "lack a value", fmt.Sprintf("they end as skipped: give %s a default, as in {{name|there}}", names)),
	}
	if len(c.invalid) > 0 {
		found = append(found, judged("invalid tokens", len(c.invalid), of, audience, "have a value that FCM cannot have issued",
			"they end as failed ("+notification.CodeInvalidToken+"); of the first, "+c.invalid[0].Error()))
	}
	if len(c.broken) > 0 {
		found = append(found, judged("values", len(c.broken), of, audience, "break the message", "they end as failed; the first: "+c.broken[0].Error()))
	}
	return append(found, c.sizeFinding(of, audience))
}

func (c *cast) sizeFinding(of int, audience int64) Finding {
	s := sizesOf(c.sizes)
	f := judged("size", c.tooLarge, of, audience, fmt.Sprintf("are over the %s bytes that FCM takes", Thousands(s.Limit)), "they end as failed: shorten the message, or what fills it")
	if len(c.sizes) > 0 && c.tooLarge == 0 {
		f.Detail = fmt.Sprintf("%s bytes at least, %s in the middle, %s at most, of %s", Thousands(s.Min), Thousands(s.Median), Thousands(s.Max), Thousands(s.Limit))
	}
	return f
}
