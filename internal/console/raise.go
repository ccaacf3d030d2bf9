package console

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"fanfare/internal/campaign"
	"fanfare/internal/operator"
)

// What Google asks for before it raises a quota: see "Throttling and quotas" in the documentation
// of FCM.
const (
	raiseUse     = 0.80 // of the quota
	raiseMinutes = 5    // in a row
	raiseErrors  = 0.05 // fewer client errors than that
)

const (
	// raiseWindow is how many minutes are shown.
	raiseWindow = 60
	// raiseAge is how long one reading serves all viewers.
	raiseAge = 10 * time.Second
	// raiseCampaigns bounds the campaigns that are read, the largest first.
	raiseCampaigns = 50
	// raiseSlots is more than a record of a day has.
	raiseSlots = 2000
)

// clientErrors are FCM's answers of 4xx that end a push. Each counts against the quota.
var clientErrors = []string{
	"UNREGISTERED", "INVALID_ARGUMENT", "SENDER_ID_MISMATCH", "THIRD_PARTY_AUTH_ERROR", "NOT_FOUND", "MESSAGE_TOO_LARGE", "PERMISSION_DENIED",
}

// raise says whether the project meets what Google asks for.
type raise struct {
	Verdict, Tone  string
	Age            string
	Bars           []minuteBar
	Label          string // for people who cannot see the bars
	From, Half, To string
	Checks         []raiseCheck
}

// minuteBar is one minute of the picture, in its own units.
type minuteBar struct{ X, Y, Height string }

type raiseCheck struct {
	OK            bool
	Title, Detail string
	Value         string
}

// raises are the readings that all viewers share, by project.
type raises struct {
	mu        sync.Mutex
	byProject map[string]*raiseReading
}

// raiseReading is what the last hour's campaigns did.
type raiseReading struct {
	at          time.Time          // when it was read
	used        [raiseWindow]int64 // requests by minute, the oldest first
	first       time.Time          // the begin of the oldest
	limited     int64              // 429
	lastLimited time.Time
	pushed      int64            // pushes that FCM accepted, or refused for good
	errors      map[string]int64 // by code
}

// raiseOf reads the traffic of a project's last hour, at most raiseAge old.
func (c *Console) raiseOf(ctx context.Context, s *Snapshot, p projectState) *raise {
	c.raises.mu.Lock()
	defer c.raises.mu.Unlock()
	reading := c.raises.byProject[p.ID]
	if reading == nil || s.At.Sub(reading.at) >= raiseAge {
		reading = c.readRaise(ctx, s, p)
		if c.raises.byProject == nil {
			c.raises.byProject = make(map[string]*raiseReading)
		}
		c.raises.byProject[p.ID] = reading
	}
	return reading.describe(int64(p.Pace.Settings.Quota), s.At)
}

func (c *Console) readRaise(ctx context.Context, s *Snapshot, p projectState) *raiseReading {
	r := &raiseReading{at: s.At, first: p.Pace.Now.Truncate(time.Minute).Add(-raiseWindow * time.Minute), errors: make(map[string]int64)}
	for _, each := range activeSince(s, p.ID, r.first) {
		r.countAnswers(each.Books)
		series, err := c.deps.System.Traffic(ctx, each.Spec.ID, raiseSlots)
		if err != nil {
			c.deps.Logger.Info("traffic not read; the use of the quota is incomplete", "campaign", each.Spec.ID, "error", err)
			continue
		}
		for i := range series.Slots {
			slot := &series.Slots[i]
			minute := int(slot.At.Sub(r.first) / time.Minute)
			if slot.At.Before(r.first) || minute >= raiseWindow {
				continue
			}
			r.used[minute] += slot.Answers
			if r.limited += slot.Limited; slot.Limited > 0 && slot.At.After(r.lastLimited) {
				r.lastLimited = slot.At
			}
		}
	}
	return r
}

// countAnswers adds the pushes that FCM accepted, and those that it refused for good. With several
// devices a recipient counts once, by the best of them, so the devices are counted.
func (r *raiseReading) countAnswers(b campaign.Books) {
	sent, codes := b.Sent, b.Codes
	if b.Devices != nil {
		sent, codes = b.Devices.Sent, b.Devices.Codes
	}
	r.pushed += sent + b.Moved
	r.errors["UNREGISTERED"] += b.Moved // tokens that were dead before another address was tried
	for _, code := range clientErrors {
		n := codes["failed:"+code]
		r.errors[code] += n
		r.pushed += n
	}
}

// activeSince returns the campaigns of a project that were sent since a moment, the largest first.
func activeSince(s *Snapshot, project string, from time.Time) []*Campaign {
	var all []*Campaign
	for i := range s.Campaigns {
		spec := &s.Campaigns[i].Spec
		if s.isOf(&s.Campaigns[i], project) && !spec.StartedAt.IsZero() && spec.State != campaign.Draft && (spec.FinishedAt.IsZero() || spec.FinishedAt.After(from)) {
			all = append(all, &s.Campaigns[i])
		}
	}
	slices.SortStableFunc(all, func(a, b *Campaign) int { return cmp.Compare(b.Books.Loaded, a.Books.Loaded) })
	return all[:min(len(all), raiseCampaigns)]
}

// describe compares a reading with what Google asks for.
func (r *raiseReading) describe(quota int64, now time.Time) *raise {
	out := &raise{Age: ageText(now.Sub(r.at)), From: r.first.UTC().Format("15:04"), Half: r.first.Add(raiseWindow * time.Minute / 2).UTC().Format("15:04"), To: r.first.Add(raiseWindow * time.Minute).UTC().Format("15:04")}
	longest, run, most := 0, 0, int64(0)
	for i, used := range r.used {
		if float64(used) >= raiseUse*float64(quota) {
			run++
		} else {
			run = 0
		}
		longest, most = max(longest, run), max(most, used)
		out.Bars = append(out.Bars, minuteBarOf(i, used, quota))
	}
	out.Label = fmt.Sprintf("Use of the quota in the last %d minutes: at most %s", raiseWindow, share(most, quota))
	out.Checks = []raiseCheck{
		{longest >= raiseMinutes, "At least 80% used for five minutes", "longest run: " + plural(int64(longest), "minute", "minutes"), share(most, quota)},
		r.checkErrors(),
		r.checkLimited(now),
	}
	missing := 0
	for _, each := range out.Checks {
		if !each.OK {
			missing++
		}
	}
	out.Verdict, out.Tone = "ready to ask", "is-completed"
	if missing > 0 {
		out.Verdict, out.Tone = fmt.Sprintf("%d of %d missing", missing, len(out.Checks)), "is-paused"
	}
	return out
}

func (r *raiseReading) checkErrors() raiseCheck {
	var total int64
	var causes []string
	codes := slices.Clone(clientErrors)
	slices.SortStableFunc(codes, func(a, b string) int { return cmp.Compare(r.errors[b], r.errors[a]) })
	for _, code := range codes {
		if n := r.errors[code]; n > 0 {
			total += n
			causes = append(causes, code+" "+share(n, r.pushed))
		}
	}
	detail := "none in the campaigns of the last hour"
	if len(causes) > 0 {
		detail = strings.Join(causes, ", ")
	}
	ok := r.pushed > 0 && float64(total) < raiseErrors*float64(r.pushed)
	if r.pushed == 0 {
		return raiseCheck{false, "Client errors below 5%", "nothing was sent in the last hour", "–"}
	}
	return raiseCheck{ok, "Client errors below 5%", detail, share(total, r.pushed)}
}

func (r *raiseReading) checkLimited(now time.Time) raiseCheck {
	detail := "FCM took everything"
	if r.limited > 0 {
		detail = "the last one " + span(now.Sub(r.lastLimited)) + " ago"
	}
	return raiseCheck{r.limited == 0, "No 429 in the last hour", detail, operator.Thousands(r.limited)}
}

// The picture is 600 wide and 72 high; a full minute is 100% of the quota.
const (
	raiseHeight = 72.0
	raiseStep   = 10
)

func minuteBarOf(i int, used, quota int64) minuteBar {
	height := 0.0
	if quota > 0 {
		height = min(1, float64(used)/float64(quota)) * raiseHeight
	}
	return minuteBar{fmt.Sprint(i*raiseStep + 1), fmt.Sprintf("%.1f", raiseHeight-height), fmt.Sprintf("%.1f", height)}
}
