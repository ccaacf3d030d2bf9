package console

import (
	"cmp"
	"context"
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"fanfare/internal/campaign"
	"fanfare/internal/operator"
)

// changeOf reads the form of the pace.
func changeOf(form url.Values) (campaign.Change, error) {
	var change campaign.Change
	limit, err := campaign.ParseRate(strings.TrimSpace(form.Get("rate")))
	if err != nil {
		return change, &inputError{"Own rate " + err.Error()}
	}
	change.Rate = &limit
	for _, field := range []struct {
		name, label string
		low, high   int
		to          **int
	}{{"priority", "Priority", 0, campaign.MaxPriority, &change.Priority}, {"weight", "Weight", 1, campaign.MaxWeight, &change.Weight}} {
		n, err := strconv.Atoi(strings.TrimSpace(form.Get(field.name)))
		if err != nil || n < field.low || n > field.high {
			return change, &inputError{fmt.Sprintf("%s is %q, want %d to %d", field.label, clip(form.Get(field.name), 40), field.low, field.high)}
		}
		*field.to = &n
	}
	return change, nil
}

// showPaceDialog asks before the pace of a campaign changes to that of the form.
func (c *Console) showPaceDialog(w http.ResponseWriter, r *http.Request, v operator.View) {
	wanted, err := changeOf(r.URL.Query())
	if err != nil {
		c.fail(w, err)
		return
	}
	s, err := c.sampler.latest(r.Context())
	if err != nil {
		return // the browser has gone
	}
	c.renderDialog(w, r, c.paceDialog(v, wanted, s))
}

func (c *Console) paceDialog(v operator.View, wanted campaign.Change, s *Snapshot) dialog {
	title, open := cmp.Or(v.Spec.Name, v.Spec.ID), v.Books.CountOpen()
	d := dialog{
		Action: "pace", URL: c.campaignURL(v.Spec.ID) + "/pace", Title: "Change the pace of " + title + "?", Text: "In force within a few seconds, in all dispatchers.",
		Keep: "Leave it", Do: "Change it for " + operator.Thousands(open), Effects: []effect{{"Still to be sent to", open}},
		Hidden: map[string]string{"rate": operator.Decimal(*wanted.Rate), "priority": strconv.Itoa(*wanted.Priority), "weight": strconv.Itoa(*wanted.Weight)},
	}
	if *wanted.Rate == 0 {
		d.Hidden["rate"] = ""
	}
	d.Changes = []change{
		{"Own rate", rateText(v.Spec.Rate), rateText(*wanted.Rate)},
		{"Priority", strconv.Itoa(v.Spec.Priority), strconv.Itoa(*wanted.Priority)},
		{"Weight", strconv.Itoa(v.Spec.Weight), strconv.Itoa(*wanted.Weight)},
	}
	if *wanted.Rate > 0 && open > 0 {
		d.Changes = append(d.Changes, change{"At its own rate, at least", restText(open, v.Spec.Rate), restText(open, *wanted.Rate)})
	}
	for _, each := range []struct {
		label string
		wins  func(other, own int) bool
	}{
		{"Running campaigns that go first", func(other, own int) bool { return other > own }},
		{"Running campaigns that share with it", func(other, own int) bool { return other == own }},
	} {
		var before, after int
		for _, other := range s.around.Running {
			if other.Spec.ID == v.Spec.ID || other.Books.CountOpen() == 0 || !operator.SharesQuota(other.Spec.Project, v.Spec.Project) {
				continue
			}
			if each.wins(other.Spec.Priority, v.Spec.Priority) {
				before++
			}
			if each.wins(other.Spec.Priority, *wanted.Priority) {
				after++
			}
		}
		d.Changes = append(d.Changes, change{each.label, operator.Thousands(before), operator.Thousands(after)})
	}
	return d
}

// paceBefore leads back to the pace of before a change; nil if that cannot be read.
func (c *Console) paceBefore(ctx context.Context, id string) *wayBack {
	v, err := c.deps.System.Show(ctx, id)
	if err != nil {
		return nil
	}
	before := url.Values{"rate": {""}, "priority": {strconv.Itoa(v.Spec.Priority)}, "weight": {strconv.Itoa(v.Spec.Weight)}}
	if v.Spec.Rate > 0 {
		before.Set("rate", operator.Decimal(v.Spec.Rate))
	}
	return &wayBack{c.campaignURL(id) + "/pace?" + before.Encode(), "Change it back…"}
}

// rateText is an own rate in words.
func rateText(perSecond float64) string {
	if perSecond == 0 {
		return "none"
	}
	return operator.Decimal(perSecond) + " a second"
}

// restText is how long so many take at an own rate.
func restText(open int64, perSecond float64) string {
	if perSecond == 0 {
		return "–"
	}
	return span(time.Duration(float64(open) / perSecond * float64(time.Second)))
}
