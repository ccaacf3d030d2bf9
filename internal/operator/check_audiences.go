package operator

import (
	"context"
	"fmt"
	"strings"

	"fanfare/internal/campaign"
)

// namedCampaigns bounds the campaigns that a finding names.
const namedCampaigns = 5

// checkAudiences looks for campaigns that have not ended, and whose audience is not all there.
func (o *Operator) checkAudiences(ctx context.Context) Finding {
	f := Finding{Name: "audiences", Grade: Good, Detail: "all that are known are complete"}
	all, err := o.deps.Campaigns.List(ctx)
	if err != nil {
		f.Grade, f.Detail, f.Advice = Warning, inOneLine(err), "see fanfare campaign list"
		return f
	}
	var incomplete []string
	for _, c := range all {
		if losses := c.Books.Losses(c.Spec.ID, c.Spec.State); len(losses) > 0 && !c.Spec.State.Ended() {
			incomplete = append(incomplete, campaign.Word(c.Spec.ID)+" ("+losses[0].What+")")
		}
	}
	if len(incomplete) == 0 {
		return f
	}
	named := incomplete[:min(len(incomplete), namedCampaigns)]
	f.Grade, f.Detail = Warning, "campaign "+strings.Join(named, ", campaign ")
	if more := len(incomplete) - len(named); more > 0 {
		f.Detail += fmt.Sprintf(", and %d more", more)
	}
	f.Advice = "fanfare campaign show says what to do about each"
	return f
}
