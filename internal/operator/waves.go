package operator

import (
	"context"
	"math"
	"slices"
	"strings"
	"time"

	"fanfare/internal/campaign"
	"fanfare/internal/pacing"
	"fanfare/internal/schedule"
)

// WavePlan predicts a campaign with a schedule: which part of its audience goes when, beside the
// campaigns that run or are scheduled, and what does not fit.
type WavePlan struct {
	At    time.Time     `json:"-"` // when a WaveMemory got it; zero without one
	Waves []PlannedWave `json:"waves"`
	Hours []PlannedHour `json:"hours,omitempty"` // one after the other, from the first to the last
	Ends  time.Time     `json:"ends,omitzero"`   // when the last push goes that is in time
	// Unfit are recipients who are left when their last turn closes. Expired are those who end as
	// expired: they, and those who have no turn at all.
	Unfit   int64 `json:"unfit"`
	Expired int64 `json:"expired"`
	// Later are recipients who are left when their first turn closes, and go in a later one.
	Later int64 `json:"later,omitempty"`
	// NoTurn are those of them whose windows do not open before the deadline at all.
	NoTurn int64 `json:"noTurn,omitempty"`
	// PushesEach is how many pushes a recipient gets on average: one for each device. The quota
	// counts pushes, and the other figures are recipients.
	PushesEach float64 `json:"pushesEach,omitempty"`
	// Exact reports whether the zones of all recipients were read, rather than of a sample.
	Exact bool `json:"exact"`
	// Unloaded reports whether a load has not finished: the recipients it has yet to load are not
	// in the plan, and it is not exact.
	Unloaded bool `json:"unloaded,omitempty"`
	// BadZones estimates the recipients whose zone is unknown to us: the campaign's is used.
	BadZones int64 `json:"badZones,omitempty"`
	// WiderMinutes and PerMinute are what would make all waves fit, each by itself: windows that
	// are so much longer, or such a quota. Zero means that it would not help.
	WiderMinutes int64 `json:"widerMinutes,omitempty"`
	PerMinute    int64 `json:"perMinute,omitempty"`
}

// PlannedWave is one wave of a plan, in one turn.
type PlannedWave struct {
	Opens  time.Time `json:"opens"`
	Closes time.Time `json:"closes,omitzero"` // zero: only the end of the campaign
	Zones  []string  `json:"zones"`
	N      int64     `json:"n"`
	Ends   time.Time `json:"ends,omitzero"` // zero: it does not fit
	// Unsent are recipients who are left when it closes. Carried are left, too, and have another
	// turn, which is a wave of its own.
	Unsent  int64 `json:"unsent,omitempty"`
	Carried int64 `json:"carried,omitempty"`
	// Running reports whether its turn is now, and its campaign runs.
	Running bool `json:"running,omitempty"`
}

// PlanWaves plans a campaign at the present quota, as if a halt of the project ended now. It
// returns nil for one without a schedule.
func (o *Operator) PlanWaves(ctx context.Context, v View, state pacing.State) (*WavePlan, error) {
	spec := v.Spec
	if !spec.IsScheduled() && spec.Rules().IsZero() || v.Books.CountOpen() == 0 {
		return nil, nil
	}
	plan := &WavePlan{}
	own, err := o.senderOf(ctx, v, state.Now, plan)
	if err != nil {
		return nil, err
	}
	others, err := o.listReservations(ctx, spec, state.Now)
	if err != nil {
		return nil, err
	}
	quota := schedule.Quota{Rate: state.Settings.Rate(), Ramp: state.Settings.Ramp, Open: state.OpenTime}
	planned := schedule.Plan(state.Now, quota, own, others)
	plan.fill(planned)
	plan.markRunning(spec, state.Now)
	plan.addHours(planned)
	if v.Books.Interrupted > 0 {
		plan.Unloaded, plan.Exact = true, false
	}
	if plan.Unfit > 0 {
		needed := schedule.FindNeeded(state.Now, quota, own, others)
		plan.WiderMinutes = int64(needed.Wider / time.Minute)
		plan.PerMinute = int64(math.Ceil(needed.Rate * 60 / (1 - state.Settings.Headroom)))
	}
	return plan, nil
}

// fill takes over the waves. The recipients without a turn are counted already.
func (p *WavePlan) fill(planned []schedule.Planned) {
	for _, each := range planned {
		p.Waves = append(p.Waves, PlannedWave{Opens: each.Opens.UTC(), Closes: each.Closes.UTC(), Zones: each.Zones, N: each.N, Ends: each.Ends.UTC(), Unsent: each.Unsent, Carried: each.Carried})
		p.Unfit += each.Unsent
		p.Expired += each.Unsent
		if !each.Again {
			p.Later += each.Carried
		}
		if each.Ends.After(p.Ends) {
			p.Ends = each.Ends.UTC()
		}
	}
}

// markRunning marks the waves whose turn it is.
func (p *WavePlan) markRunning(spec campaign.Spec, now time.Time) {
	for i, w := range p.Waves {
		p.Waves[i].Running = spec.State == campaign.Running && !w.Opens.After(now) && (w.Closes.IsZero() || w.Closes.After(now))
	}
}

// CountRunning returns how many waves are sent now.
func (p *WavePlan) CountRunning() (n int) {
	for _, w := range p.Waves {
		if w.Running {
			n++
		}
	}
	return n
}

// senderOf returns a campaign's waves as the planner wants them. plan may be nil.
func (o *Operator) senderOf(ctx context.Context, v View, now time.Time, plan *WavePlan) (schedule.Sender, error) {
	s := schedule.Sender{Priority: v.Spec.Priority, Weight: v.Spec.Weight, Rate: v.Spec.Rate, Deadline: v.Deadline()}
	start := now
	if v.Spec.IsScheduled() && v.Spec.StartAt.After(now) {
		start = v.Spec.StartAt
	}
	open := v.Books.CountOpen()
	if open == 0 {
		return s, nil
	}
	zones, err := o.readZones(ctx, v.Spec, open, min(v.Books.Retrying, open))
	if err != nil {
		return s, err
	}
	waves, missed := wavesOf(v.Spec.Rules(), start, v.Deadline(), zones.zones)
	s.Waves = append(s.Waves, waves...)
	if plan != nil {
		plan.Exact, plan.BadZones, plan.PushesEach = zones.exact, zones.bad, zones.pushesEach()
		plan.Expired += missed
		plan.NoTurn += missed
	}
	return s, nil
}

// wavesOf groups recipients whose turns are the same. missed counts those without a turn before the
// deadline.
func wavesOf(rules schedule.Rules, start, deadline time.Time, zones map[string]zoneCount) (waves []schedule.Wave, missed int64) {
	byTurn, pushes := make(map[[2]int64]*schedule.Wave), make(map[[2]int64]float64)
	for name, count := range zones {
		zone, err := schedule.ParseZone(name)
		if err != nil {
			zone = rules.DefaultZone()
		}
		next := func(from time.Time) (schedule.Turn, bool) {
			turn, ok := rules.Next(from, zone, deadline)
			return schedule.Turn{Opens: turn.Start(from), Closes: campaign.Earliest(turn.Closes, deadline)}, ok
		}
		turn, ok := next(start)
		if !ok {
			missed += count.people
			continue
		}
		key := [2]int64{turn.Opens.UnixMilli(), turn.Closes.UnixMilli()}
		if byTurn[key] == nil {
			byTurn[key] = &schedule.Wave{Turn: turn, Next: next}
		}
		byTurn[key].N += count.people
		byTurn[key].Zones = append(byTurn[key].Zones, name)
		pushes[key] += count.pushes
	}
	for key, wave := range byTurn {
		wave.Each = pushes[key] / float64(max(1, wave.N))
		slices.Sort(wave.Zones)
		waves = append(waves, *wave)
	}
	slices.SortFunc(waves, func(a, b schedule.Wave) int { return strings.Compare(a.Zones[0], b.Zones[0]) })
	return waves, missed
}

// listReservations lists what the other campaigns of the project will send: those that run, and
// those that are scheduled.
func (o *Operator) listReservations(ctx context.Context, spec campaign.Spec, now time.Time) ([]schedule.Sender, error) {
	all, err := o.deps.Campaigns.List(ctx)
	if err != nil {
		return nil, err
	}
	var senders []schedule.Sender
	for _, other := range all {
		s := other.Spec
		competes := s.State == campaign.Running || s.IsScheduled()
		if s.ID == spec.ID || !competes || !SharesQuota(s.Project, spec.Project) || other.Err != nil || other.Books.CountOpen() == 0 || CheckSendable(s) != nil {
			continue
		}
		sender, err := o.senderOf(ctx, View{Spec: s, Books: other.Books}, now, nil)
		if err != nil {
			return nil, err
		}
		senders = append(senders, sender)
	}
	return senders, nil
}

// checkWaves refuses to start a draft whose waves do not fit. Without a known pace it refuses
// nothing.
func (o *Operator) checkWaves(ctx context.Context, spec campaign.Spec, books campaign.Books, pace PaceReader) error {
	if pace == nil || spec.State != campaign.Draft || spec.Rules().IsZero() {
		return nil
	}
	spec.StartAt = time.Time{} // it starts now
	return o.refuseUnfit(ctx, View{Spec: spec, Books: books}, pace)
}
